"""A call whose answer got lost is answered again, not run again."""

import threading
import urllib.parse
import urllib.request
import uuid

import pytest

from lab.cloud.replay import KEPT, Replay


def _start(status, headers):
    _start.status = status


class Counter:
    """An application that numbers its answers and can be held back."""

    def __init__(self, status="200 OK"):
        self.calls, self.status = 0, status
        self.go = threading.Event()
        self.go.set()

    def __call__(self, environ, start_response):
        self.calls += 1
        self.go.wait()
        start_response(self.status, [("Content-Type", "text/plain")])
        return [b"answer ", str(self.calls).encode()]


def _environ(invocation, method="POST", body=b"Action=X"):
    import io

    environ = {"REQUEST_METHOD": method, "CONTENT_LENGTH": str(len(body))}
    environ["wsgi.input"] = io.BytesIO(body)
    if invocation:
        environ["HTTP_AMZ_SDK_INVOCATION_ID"] = invocation
    return environ


def _ask(replay, invocation, **more):
    return b"".join(replay(_environ(invocation, **more), _start))


def test_a_repeat_gets_the_first_answer():
    application = Counter()
    replay = Replay(application)
    assert _ask(replay, "a") == _ask(replay, "a") == b"answer 1"
    assert _ask(replay, "b") == b"answer 2"
    assert application.calls == 2


@pytest.mark.parametrize("status", ["500 X", "400 X", "503 X"])
def test_a_failed_call_runs_again(status):
    replay = Replay(Counter(status))
    assert _ask(replay, "a") == b"answer 1"
    assert _ask(replay, "a") == b"answer 2"


@pytest.mark.parametrize(("invocation", "method"), [(None, "POST"), ("a", "GET"), ("a", "HEAD")])
def test_what_may_be_repeated_is_passed_on(invocation, method):
    replay = Replay(Counter())
    assert _ask(replay, invocation, method=method) == b"answer 1"
    assert _ask(replay, invocation, method=method) == b"answer 2"


def test_a_repeat_waits_for_the_first_attempt():
    application = Counter()
    application.go.clear()
    replay, answers = Replay(application), []
    threads = [threading.Thread(target=lambda: answers.append(_ask(replay, "a"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    application.go.set()
    for thread in threads:
        thread.join()
    assert answers == [b"answer 1"] * 3
    assert application.calls == 1


def test_answers_are_kept_in_bounds():
    application = Counter()
    replay = Replay(application)
    for number in range(KEPT + 1):
        _ask(replay, str(number))
    assert _ask(replay, str(KEPT)) == f"answer {KEPT + 1}".encode()
    assert application.calls == KEPT + 1
    assert _ask(replay, "0") == f"answer {KEPT + 2}".encode()


def test_the_server_detaches_a_volume_once(emulator, network, ec2):
    volume = ec2.create_volume(AvailabilityZone="eu-central-1a", Size=1)["VolumeId"]
    instance = network.launch()["InstanceId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    scope = "emulated/20250101/eu-central-1/ec2/aws4_request"

    def detach(invocation):
        request = urllib.request.Request(  # noqa: S310 - a loopback address
            emulator.endpoint,
            data=urllib.parse.urlencode(
                {
                    "Action": "DetachVolume",
                    "Version": "2016-11-15",
                    "VolumeId": volume,
                    "InstanceId": instance,
                }
            ).encode(),
            headers={
                "Amz-Sdk-Invocation-Id": invocation,
                "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
            },
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - a loopback address
            return answer.read()

    invocation = str(uuid.uuid4())
    assert detach(invocation) == detach(invocation)
    with pytest.raises(urllib.error.HTTPError) as refused:
        detach(str(uuid.uuid4()))
    refused.value.close()
