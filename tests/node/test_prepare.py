"""`prepare` as a whole, against Parameter Store (moto) and a metadata service that wants tokens."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from node import cli, prepare
from node.errors import NodeError
from tests.node.conftest import put_files
from tests.node.doubles import FakeMachine, Metadata
from tests.node.issued_certificates import Authority, api_files, etcd_files


@pytest.fixture
def api_node(node, aws, authority):
    """An API server's VM, its files in Parameter Store: more than a page of ten."""
    put_files(aws, "api-0", api_files(authority))
    return node("api-0")


@pytest.fixture
def etcd_node(node, aws, authority, root):
    """An etcd member's VM with a blank volume, its files in Parameter Store."""
    put_files(aws, "etcd-0", etcd_files(authority, "etcd-0", "10.0.224.4"))
    device = root / "dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0abc"
    device.parent.mkdir(parents=True)
    with device.open("wb") as file:
        file.truncate(32 << 20)
    return node("etcd-0")


def contents(directory):
    return {path.name: path.read_text() for path in directory.iterdir()}


def test_an_api_node(api_node, root):
    done = prepare.run(api_node, FakeMachine())
    assert done.startswith("wrote ca.crt, ca.key, ")
    assert done.endswith("; address 10.0.224.4")
    assert len(contents(api_node.pki)) == 19
    assert (root / "etc/ha-kubernetes/node.env").read_text() == "NODE_ADDRESS=10.0.224.4\n"
    assert prepare.run(api_node, FakeMachine()) == "everything was in place"


def test_an_api_node_gets_a_hostname_of_its_own_before_anything_can_lead(api_node, root):
    """Its successor has the same name, and runs alongside it for a while."""
    seen = []

    class Named(FakeMachine):
        def rename(self, hostname):
            seen.append((hostname, (root / "etc/ha-kubernetes/node.env").exists()))

    prepare.run(api_node, Named())
    assert seen == [("api-0-10-0-224-4", False)]


def test_an_etcd_node(etcd_node, root):
    machine = FakeMachine()
    assert prepare.run(etcd_node, machine) == (
        "wrote ca.crt, server.crt, server.key, peer.crt, peer.key; address 10.0.224.4; "
        "created a file system on vol-0abc; mounted vol-0abc"
    )
    assert prepare.run(etcd_node, machine) == "everything was in place"
    assert (root / "var/lib/etcd/data").is_dir()
    assert not [call for call in machine.calls if call.startswith("rename")]


def test_a_new_certificate_is_fetched_by_the_next_run(api_node, aws, authority):
    prepare.run(api_node, FakeMachine())
    pair = authority.leaf("apiserver", "127.0.0.1")
    put_files(aws, "api-0", {"apiserver.crt": pair.certificate, "apiserver.key": pair.key})
    assert prepare.run(api_node, FakeMachine()) == "wrote apiserver.crt, apiserver.key"


def test_another_nodes_files_are_not_read(api_node, aws, authority):
    put_files(aws, "api-1", api_files(authority))
    put_files(aws, "api-0", {"unexpected.key": "not asked for"})
    prepare.run(api_node, FakeMachine())
    assert "unexpected.key" not in contents(api_node.pki)


@pytest.mark.parametrize("tier", ["api", "etcd"])
def test_a_reboot_needs_no_aws(request, tier, aws_down):
    settings = request.getfixturevalue(f"{tier}_node")
    prepare.run(settings, FakeMachine())
    before = contents(settings.pki)
    aws_down()
    done = prepare.run(settings, FakeMachine())
    assert done.startswith("kept what is on disk: AWS: Could not connect")
    assert "kept what is on disk: 127.0.0.1 did not answer" in done
    assert contents(settings.pki) == before
    if tier == "etcd":
        assert done.endswith("; mounted vol-0abc")


def test_a_reboot_needs_no_room_on_the_disk(api_node, monkeypatch):
    prepare.run(api_node, FakeMachine())
    before = contents(api_node.pki)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert prepare.run(api_node, FakeMachine()) == (
        "kept what is on disk: [Errno 28] No space left on device"
    )
    assert contents(api_node.pki) == before


def test_a_first_boot_without_aws_says_what_is_missing(node, aws, aws_down):
    aws_down()
    with pytest.raises(
        NodeError, match=r"Could not connect.*on disk ca.crt is missing, server.crt"
    ):
        prepare.run(node("etcd-0"), FakeMachine())


def test_a_first_boot_without_metadata_says_what_is_missing(api_node, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(NodeError, match=r"did not answer.*no /etc/ha-kubernetes/node.env"):
        prepare.run(api_node, FakeMachine())


def test_metadata_that_refuses_is_not_an_address(api_node, root, monkeypatch):
    monkeypatch.setattr(Metadata, "items", {})
    with pytest.raises(NodeError, match="404"):
        prepare.run(api_node, FakeMachine())
    assert not (root / "etc/ha-kubernetes/node.env").exists()


def test_an_incomplete_set_keeps_the_node_going_with_the_old_one(api_node, aws):
    prepare.run(api_node, FakeMachine())
    before = contents(api_node.pki)
    aws.delete_parameter(Name="/test/nodes/api-0/files/scheduler.key")
    assert prepare.run(api_node, FakeMachine()) == (
        "kept what is on disk: /test/nodes/api-0/files: scheduler.key is missing: run pulumi up"
    )
    assert contents(api_node.pki) == before


@pytest.mark.parametrize("when", [{"starts": 0.04}, {"days": -1}])
def test_a_first_boot_waits_for_certificates_that_are_valid(node, aws, authority, when):
    """The operator's clock is an hour fast, or nobody reissued for a year."""
    early = Authority("etcd-ca", **when)
    put_files(aws, "etcd-0", etcd_files(early, "etcd-0", "10.0.224.4"))
    settings = node("etcd-0")
    said = {
        "starts": r"ca.crt is valid from 20\d\d-.* UTC on, and it is .* here: it is tried again until",
        "days": r"ca.crt expired at 20\d\d-.* UTC, and it is .* here: mend the clock, or reissue as",
    }[next(iter(when))]
    with pytest.raises(NodeError, match=f"{said}.*; and on disk ca.crt is missing, server.crt is"):
        prepare.run(settings, FakeMachine())
    assert contents(settings.pki) == {}


@pytest.mark.parametrize("reissued", [False, True])
def test_a_reboot_with_expired_certificates_starts_the_daemons(node, aws, authority, reissued):
    """Without the cluster nobody could reissue them in peace. New ones are taken immediately."""
    expired = api_files(Authority("ca", days=-1))
    put_files(aws, "api-0", expired)
    settings = node("api-0")
    settings.pki.mkdir(parents=True)
    for name, content in expired.items():
        (settings.pki / name).write_text(content)
    if reissued:
        put_files(aws, "api-0", api_files(authority))
    done = prepare.run(settings, FakeMachine())
    assert done.startswith("wrote ca.crt" if reissued else "address 10.0.224.4")


@pytest.mark.parametrize("days", [-4000, 4000])
def test_a_clock_that_is_wrong_loses_no_good_set(api_node, aws, authority, monkeypatch, days):
    """A machine boots before its clock was set; and the files were reissued meanwhile."""
    prepare.run(api_node, FakeMachine())
    before = contents(api_node.pki)
    put_files(aws, "api-0", api_files(authority))

    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=days)

    with monkeypatch.context() as patch:
        patch.setattr("node.credentials.datetime", Wrong)
        assert prepare.run(api_node, FakeMachine()).startswith("kept what is on disk: ")
        assert contents(api_node.pki) == before
    assert prepare.run(api_node, FakeMachine()).startswith("wrote sa.pub, sa.key, apiserver.crt, ")


def test_throttling_is_waited_out(api_node, monkeypatch):
    import botocore.awsrequest
    from botocore.httpsession import URLLib3Session

    real, refusals, waits = URLLib3Session.send, [3], []

    def throttled(self, request):
        if refusals[0] == 0:
            return real(self, request)
        refusals[0] -= 1
        body = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
        response = botocore.awsrequest.AWSResponse(request.url, 400, {}, None)
        response._content = body
        return response

    monkeypatch.setattr(URLLib3Session, "send", throttled)
    # Not time.sleep for all: waiting for another program's end sleeps too.
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=waits.append))
    assert prepare.run(api_node, FakeMachine()).startswith("wrote ")
    assert len(waits) == 3
    assert all(wait >= 0 for wait in waits)


class TestCommandLine:
    """What a person and the journal see."""

    def run(self, capsys, *arguments):
        status = cli.main(arguments)
        output = capsys.readouterr()
        return status, output.out, output.err

    def test_one_line_and_no_secret(self, api_node, capsys):
        status, out, err = self.run(capsys, "prepare")
        assert (status, err) == (0, "")
        assert out.startswith("prepare: wrote ca.crt")
        assert out.count("\n") == 1
        assert "PRIVATE" not in out

    def test_a_fault_is_one_line(self, node, aws, aws_down, capsys):
        node("api-0")
        aws_down()
        status, out, err = self.run(capsys, "prepare")
        assert (status, out) == (1, "")
        assert err.startswith("prepare: AWS: Could not connect")
        assert err.count("\n") == 1

    def test_a_full_disk_is_no_traceback(self, api_node, capsys, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        status, out, err = self.run(capsys, "prepare")
        assert (status, out) == (1, "")
        assert err.startswith(
            "prepare: [Errno 28] No space left on device; and on disk ca.crt is mis"
        )
        assert err.count("\n") == 1
