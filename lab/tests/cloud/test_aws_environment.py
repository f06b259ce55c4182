"""Programs are pointed at the emulator and never at a person's account."""

from lab.cloud import aws_environment

ENDPOINT = "http://127.0.0.1:5580"


def test_a_persons_credentials_do_not_get_through():
    person = {
        "AWS_PROFILE": "work",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ENDPOINT_URL_EC2": "https://ec2.example",
        "AWS_CONFIG_FILE": "/home/me/.aws/config",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/token",
        "AWS_REGION": "us-east-1",
        "HOME": "/home/me",
    }
    environment = aws_environment.environment(person, ENDPOINT)

    assert environment["HOME"] == "/home/me"
    assert environment["AWS_ENDPOINT_URL"] == ENDPOINT
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert environment["AWS_CONFIG_FILE"] == "/dev/null"
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
    assert set(environment) & {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_EC2"} == set()
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" not in environment
    assert not any("real" in v.lower() or v == "work" for v in environment.values())


def test_a_proxy_is_bypassed_and_its_own_exceptions_stay():
    environment = aws_environment.environment({"NO_PROXY": "internal.example"}, ENDPOINT)
    assert environment["NO_PROXY"] == "internal.example,127.0.0.1,localhost"
    assert environment["no_proxy"] == environment["NO_PROXY"]


def test_only_names_that_nobody_resolves_go_to_the_emulator_as_a_proxy():
    person = {"HTTP_PROXY": "http://proxy.example", "HTTPS_PROXY": "http://proxy.example"}
    environment = aws_environment.environment(person, ENDPOINT)
    assert environment["HTTP_PROXY"] == ENDPOINT
    assert environment["HTTPS_PROXY"] == "http://proxy.example"
    assert "http_proxy" not in environment
