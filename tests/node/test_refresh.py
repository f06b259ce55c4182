"""Certificates follow Parameter Store: what is fetched, what is said, who must be restarted."""

import os
import time
from datetime import UTC, datetime
from ipaddress import IPv4Address

import boto3
import pytest
from cryptography import x509

from components.naming import EtcdMember
from components.userdata.controllers import controller_manager_flags, scheduler_flags
from components.userdata.etcd_member import etcd_flags
from components.userdata.kube_apiserver import kube_apiserver_flags
from node import reconcile, refresh
from node.errors import NodeError
from node.machine import Machine
from node.settings import FILES, PKI
from tests.node.conftest import put_files
from tests.node.controlplane import SETTINGS
from tests.node.doubles import FakeMachine
from tests.node.issued_certificates import api_files, etcd_files


@pytest.fixture
def machine():
    return FakeMachine()


@pytest.fixture
def settings(node, aws, authority):
    """An API server whose files are in place."""
    put_files(aws, "api-0", api_files(authority))
    settings = node("api-0")
    assert refresh.run(settings, FakeMachine())[0].startswith("wrote ca.crt, ca.key, ")
    return settings


@pytest.fixture
def asked(monkeypatch):
    """Requests to Parameter Store, by operation and whether it decrypts."""
    made = []
    real = boto3.client

    def client(*arguments, **options):
        made_by = real(*arguments, **options)
        made_by.meta.events.register(
            "provide-client-params.ssm",
            lambda params, model, **_: made.append(
                (model.name, params.get("WithDecryption", False))
            ),
        )
        return made_by

    monkeypatch.setattr("node.aws.boto3.client", client)
    return made


LISTED = ("GetParametersByPath", False)
DECRYPTED = ("GetParametersByPath", True)


def reissue(aws, authority):
    pair = authority.leaf("apiserver", "127.0.0.1")
    put_files(aws, "api-0", {"apiserver.crt": pair.certificate, "apiserver.key": pair.key})
    return pair


def test_nothing_new_is_one_question_that_decrypts_nothing(settings, machine, asked):
    assert refresh.run(settings, machine) == []
    # Two pages of ten; the paginator asks once.
    assert set(asked) == {LISTED}


def test_what_was_reissued_is_fetched_once(settings, machine, aws, authority, asked):
    pair = reissue(aws, authority)
    before = (settings.pki / "scheduler.crt").stat().st_ino
    assert refresh.run(settings, machine) == ["wrote apiserver.crt, apiserver.key"]
    assert (settings.pki / "apiserver.crt").read_text() == pair.certificate
    assert (settings.pki / "apiserver.key").read_text() == pair.key
    assert (settings.pki / "apiserver.key").stat().st_mode & 0o777 == 0o600
    # Daemons watch their files: those that did not change are not touched.
    assert (settings.pki / "scheduler.crt").stat().st_ino == before
    assert DECRYPTED in asked
    asked.clear()
    assert refresh.run(settings, machine) == []
    assert set(asked) == {LISTED}


def test_a_parameter_that_was_made_again_is_noticed(settings, machine, aws, authority):
    """Its version is that of the one before it."""
    for n in ("crt", "key"):
        aws.delete_parameter(Name=f"/test/nodes/api-0/files/apiserver.{n}")
    pair = reissue(aws, authority)
    assert refresh.run(settings, machine) == ["wrote apiserver.crt, apiserver.key"]
    assert (settings.pki / "apiserver.crt").read_text() == pair.certificate


def test_a_file_that_was_lost_is_fetched_again(settings, machine):
    (settings.pki / "sa.key").unlink()
    assert refresh.run(settings, machine) == ["wrote sa.key"]


def test_half_a_pair_waits_for_the_other_half(settings, machine, aws, authority):
    """`pulumi up` writes one parameter after the other."""
    before = (settings.pki / "apiserver.crt").read_text()
    pair = authority.leaf("apiserver", "127.0.0.1")
    put_files(aws, "api-0", {"apiserver.crt": pair.certificate})
    (said,) = refresh.run(settings, machine)
    assert said == (
        "kept the certificates on disk: /test/nodes/api-0/files: apiserver.crt is damaged or not "
        "of its key: run pulumi up"
    )
    assert (settings.pki / "apiserver.crt").read_text() == before
    put_files(aws, "api-0", {"apiserver.key": pair.key})
    assert refresh.run(settings, machine) == ["wrote apiserver.crt, apiserver.key"]


def test_what_is_not_valid_yet_is_tried_again_until_it_is(settings, machine, aws, authority):
    """The operator's clock was fast: the old set serves until the new one would be accepted."""
    before = {path: path.read_bytes() for path in settings.pki.iterdir()}
    pair = authority.leaf("apiserver", "127.0.0.1", starts=2 / 86400)
    put_files(aws, "api-0", {"apiserver.crt": pair.certificate, "apiserver.key": pair.key})
    start = x509.load_pem_x509_certificate(pair.certificate.encode()).not_valid_before_utc
    while datetime.now(UTC) < start:
        (said,) = refresh.run(settings, machine)
        if datetime.now(UTC) >= start:
            break
        assert said.startswith(
            "kept the certificates on disk: /test/nodes/api-0/files: apiserver.crt is valid from "
            f"{start:%Y-%m-%d %H:%M:%S} UTC on, and it is "
        )
        assert said.endswith(" here: it is tried again until then")
        assert {path: path.read_bytes() for path in settings.pki.iterdir()} == before
        time.sleep(0.2)
    else:
        assert refresh.run(settings, machine) == ["wrote apiserver.crt, apiserver.key"]
    assert refresh.run(settings, machine) in ([], ["wrote apiserver.crt, apiserver.key"])
    assert (settings.pki / "apiserver.crt").read_text() == pair.certificate


def test_without_aws_they_are_kept_and_that_is_said(settings, machine, aws_down):
    before = {path: path.read_bytes() for path in settings.pki.iterdir()}
    aws_down()
    (said,) = refresh.run(settings, machine)
    assert said.startswith("kept the certificates on disk: AWS: Could not connect")
    assert {path: path.read_bytes() for path in settings.pki.iterdir()} == before


class Killed(BaseException):
    """The power fails."""


def test_stopped_before_it_is_recorded_the_next_run_finds_it_done(
    settings, machine, aws, authority, monkeypatch
):
    pair = reissue(aws, authority)

    def killed(path, *_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(
            refresh,
            "files",
            type("files", (), {"read": staticmethod(refresh.files.read), "write": killed}),
        )
        with pytest.raises(Killed):
            refresh.run(settings, machine)
    assert (settings.pki / "apiserver.crt").read_text() == pair.certificate
    assert refresh.run(settings, machine) == []


def test_no_secret_is_said_or_recorded(settings, machine, aws, authority):
    reissue(aws, authority)
    said = refresh.run(settings, machine)
    record = (settings.pki / ".versions").read_text()
    assert "PRIVATE" not in f"{said}{record}"
    assert len(record.splitlines()) == len(FILES["api"]) + 2


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("apiserver.crt", []),
        ("scheduler.key", []),
        ("front-proxy-ca.crt", []),
        ("encryption.yaml", []),
        ("sa.pub", ["sa.pub will count once you systemctl restart kube-apiserver.service"]),
        (
            "etcd-ca.crt",
            ["etcd-ca.crt will count once you systemctl restart kube-apiserver.service"],
        ),
        (
            "ca.crt",
            ["ca.crt will count once you systemctl restart kube-controller-manager.service"],
        ),
        (
            "sa.key",
            [
                f"sa.key will count once you systemctl restart {unit}"
                for unit in ("kube-apiserver.service", "kube-controller-manager.service")
            ],
        ),
    ],
)
def test_who_must_be_restarted_is_said_until_it_is(settings, machine, file, said):
    now = int(time.time())
    units = ("kube-apiserver.service", "kube-controller-manager.service", "kube-scheduler.service")
    machine.since = dict.fromkeys(units, now + 1)
    assert refresh.run(settings, machine) == []
    machine.since = dict.fromkeys(units, now - 60)
    for name in FILES["api"]:
        _touch(settings.pki / name, now - 3600)
    _touch(settings.pki / file, now)
    assert refresh.run(settings, machine) == said
    assert refresh.run(settings, machine) == said
    machine.since = dict.fromkeys(units, now)
    assert refresh.run(settings, machine) == []
    # One that does not run reads everything when it starts.
    machine.since = {}
    assert refresh.run(settings, machine) == []


def _touch(path, when):
    os.utime(path, (when, when))


def test_every_file_that_is_read_at_the_start_is_one_of_the_tier():
    for tier, units in refresh.READ_AT_START.items():
        for names in units.values():
            assert set(names) <= set(FILES[tier])


def test_an_etcd_member_says_it_of_its_authority(node, aws, authority, machine):
    put_files(aws, "etcd-0", etcd_files(authority, "etcd-0", "10.0.224.4"))
    settings = node("etcd-0")
    machine.since = {"etcd.service": int(time.time()) - 60}
    assert refresh.run(settings, machine) == [
        "wrote ca.crt, server.crt, server.key, peer.crt, peer.key",
        "ca.crt will count once you systemctl restart etcd.service",
    ]


def test_a_systemd_that_does_not_answer_is_said(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    (said,) = refresh.run(settings, Machine())
    assert said.startswith("nobody knows whether a daemon must be restarted: systemctl: ")


@pytest.mark.parametrize(
    ("shown", "started"),
    [
        ("ActiveState=active\nExecMainStartTimestamp=@1763990000", 1763990000),
        ("ActiveState=activating\nExecMainStartTimestamp=@1763990000", 1763990000),
        ("ActiveState=failed\nExecMainStartTimestamp=@1763990000", None),
        ("ActiveState=active\nExecMainStartTimestamp=", None),
        ("", None),
    ],
)
def test_when_a_daemon_started(systemctl, shown, started):
    asked = systemctl(f"'{shown}'")
    assert Machine().started("etcd.service") == started
    assert asked() == [
        "show --property=ActiveState,ExecMainStartTimestamp --timestamp=unix etcd.service"
    ]


@pytest.mark.usefixtures("bucket")
class TestReconcile:
    """It does both, whatever comes of either."""

    def test_a_step_and_a_refresh_are_one_line(self, settings, machine, aws, authority):
        aws.put_parameter(
            Name="/test/etcd/members",
            Value='[{"name": "etcd-0", "address": "10.0.224.4"}]',
            Type="String",
        )
        reissue(aws, authority)
        assert reconcile.run(settings, machine) == (
            "started HAProxy with etcd-0; wrote apiserver.crt, apiserver.key; "
            "accepts 0 operators' keys"
        )

    def test_a_step_that_fails_keeps_no_certificate_waiting(
        self, settings, machine, aws, authority
    ):
        pair = reissue(aws, authority)
        with pytest.raises(
            NodeError, match=r"ParameterNotFound.*; wrote apiserver.crt, apiserver.key; accepts 0 "
        ):
            reconcile.run(settings, machine)
        assert (settings.pki / "apiserver.crt").read_text() == pair.certificate

    def test_nor_does_a_full_disk(self, settings, machine, aws, authority, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(reconcile.proxy, "run", full)
        reissue(aws, authority)
        with pytest.raises(NodeError, match=r"No space left.*; wrote apiserver.crt, apiserver.key"):
            reconcile.run(settings, machine)


def test_without_room_the_files_stay_and_daemons_are_asked_all_the_same(
    settings, machine, aws, authority, monkeypatch
):
    before = (settings.pki / "apiserver.crt").read_text()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    monkeypatch.setattr(refresh, "stale", lambda *_: ["sa.key will count once you restart"])
    reissue(aws, authority)
    assert refresh.run(settings, machine) == [
        "could not write the certificates: [Errno 28] No space left on device",
        "sa.key will count once you restart",
    ]
    assert (settings.pki / "apiserver.crt").read_text() == before


def test_daemons_read_no_certificate_that_the_table_does_not_know():
    """A flag for another file needs a look at the sources, and a line in the table."""
    member = EtcdMember("etcd-0", "zone", IPv4Address("10.0.224.4"))
    known = {
        "kube-apiserver": {
            *("apiserver", "apiserver-etcd-client", "apiserver-kubelet-client"),
            *("ca", "etcd-ca", "front-proxy-ca", "front-proxy-client", "sa", "encryption"),
        },
        "kube-controller-manager": {"ca", "sa"},
        "kube-scheduler": set(),
        "etcd": {"ca", "server", "peer"},
    }
    flags = {
        "kube-apiserver": kube_apiserver_flags(SETTINGS),
        "kube-controller-manager": controller_manager_flags(SETTINGS),
        "kube-scheduler": scheduler_flags(SETTINGS),
        "etcd": etcd_flags(SETTINGS, member),
    }
    for daemon, given in flags.items():
        pki = PKI["etcd" if daemon == "etcd" else "api"]
        files = {
            str(value).removeprefix(f"{pki}/").rpartition(".")[0]
            for value in given.values()
            if str(value).startswith(f"{pki}/")
        }
        assert files == known[daemon]
        for name in files:
            assert name in refresh.__doc__
