"""Join token: here while kubelet has no certificate, gone afterwards, never in a message."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from node.worker import join_token
from tests.node.worker_node import certify, changes

SECRET = "0123456789abcdef"
TOKEN = f"abcdef.{SECRET}"
PARAMETER = "/test/workers/join-token"
API = "https://api.test:6443"


@pytest.fixture
def worker(node, aws):
    return node("test-workers-blue", **changes(API))


@pytest.fixture
def kubeconfig(root):
    return root / "etc/kubernetes/bootstrap-kubelet.conf"


def store(aws, value):
    text = value if isinstance(value, str) else json.dumps(value)
    aws.put_parameter(Name=PARAMETER, Value=text, Type="SecureString", Overwrite=True)


def token(hours=2, **more):
    expires = datetime.now(UTC) + timedelta(hours=hours)
    return {"token": TOKEN, "expires": expires.isoformat(), **more}


def test_kubelet_gets_it_and_nobody_else_reads_it(worker, aws, kubeconfig):
    store(aws, token())
    assert join_token.follow(worker, API) == ["wrote the join token"]
    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    document = json.loads(kubeconfig.read_text())
    assert document["clusters"][0]["cluster"] == {
        "server": API,
        "certificate-authority": "/etc/kubernetes/pki/ca.crt",
    }
    assert document["users"][0]["user"] == {"token": TOKEN}
    assert join_token.held() == TOKEN
    assert join_token.trouble() == ""
    assert join_token.follow(worker, API) == []


def test_the_next_one_replaces_it(worker, aws, kubeconfig):
    store(aws, token())
    join_token.follow(worker, API)
    store(aws, token(token="ghijkl.another"))
    assert join_token.follow(worker, API) == ["wrote the join token"]
    assert join_token.held() == "ghijkl.another"


def test_after_joining_it_is_removed_without_aws(worker, aws, root, aws_down, request):
    store(aws, token())
    join_token.follow(worker, API)
    certify(root, request.getfixturevalue("authority"))
    aws_down()
    assert join_token.follow(worker, API) == ["joined: removed the join token"]
    assert join_token.held() is None
    assert join_token.follow(worker, API) == []


def test_an_expired_certificate_asks_for_a_token_again(worker, aws, root, authority, kubeconfig):
    certify(root, authority, days=-1)
    store(aws, token())
    assert join_token.follow(worker, API) == ["wrote the join token"]


def test_a_damaged_certificate_asks_for_a_token_again(worker, aws, root, kubeconfig):
    path = root / "var/lib/kubelet/pki/kubelet-client-current.pem"
    path.parent.mkdir(parents=True)
    path.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    store(aws, token())
    assert join_token.follow(worker, API) == ["wrote the join token"]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (None, "does not exist yet: ha-cluster-agent on the API servers makes it"),
        ("{", "holds no join token"),
        (f'"{TOKEN}"', "holds no join token"),
        ({"token": TOKEN}, "holds no join token"),
        ({"token": TOKEN, "expires": "tomorrow"}, "holds no join token"),
        ({"token": TOKEN, "expires": "2026-11-29T12:00:00"}, "holds no join token"),
        ({"token": SECRET, "expires": "2126-11-29T12:00:00Z"}, "holds no join token"),
        (
            {"token": TOKEN, "expires": "2026-01-29T12:00:00Z"},
            "the join token expired at 2026-01-29",
        ),
    ],
)
def test_what_is_no_token_is_said_and_kept_for_the_report(
    worker, aws, kubeconfig, value, complaint
):
    if value is not None:
        store(aws, value)
    (said,) = join_token.follow(worker, API)
    assert complaint in said
    assert complaint in join_token.trouble()
    assert SECRET not in said
    assert not kubeconfig.exists()
    store(aws, token())
    join_token.follow(worker, API)
    assert join_token.trouble() == ""


def test_without_aws_the_token_on_disk_is_kept(worker, aws, aws_down):
    store(aws, token())
    join_token.follow(worker, API)
    aws_down()
    (said,) = join_token.follow(worker, API)
    assert said.startswith("no join token: AWS: Could not connect")
    assert join_token.held() == TOKEN


def test_before_anybody_asked_there_is_none(root):
    assert join_token.held() is None
    assert join_token.trouble() == "nobody has asked for it: ha-node reconcile"


def test_a_token_is_shown_by_nothing():
    assert SECRET not in repr(join_token.parse(json.dumps(token())))
