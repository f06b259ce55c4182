"""The lease of a leader that died, at a real API server: freed at once, or left alone."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import cli, web
from node.api import release_lease
from node.api.lease import CERTIFICATES, PATH, held_on, holder, hostname, released
from node.contract import NODE_ENV, NODE_JSON
from node.settings import PKI
from tests.node.conftest import document
from tests.node.controlplane import LEADERS, ControlPlane
from tests.node.daemons import wait_until
from tests.node.doubles import Quiet, serve
from tests.node.issued_certificates import Authority

SCHEDULER = "kube-scheduler"
PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def plane(tmp_path_factory, etcd_binaries, kubernetes_binaries):
    """Two API servers over one member of etcd; no controller runs."""
    plane = ControlPlane(tmp_path_factory.mktemp("plane"), etcd_binaries, kubernetes_binaries)
    try:
        plane.form(1)
        for number in range(2):
            server = plane.running_server(number)
            path = server.inside(NODE_JSON)
            path.write_text(json.dumps(document(server.name)))
        yield plane
    finally:
        plane.close()


@pytest.fixture
def command(monkeypatch, capsys):
    """Run `node release-lease` as on a machine: its status and all that it said."""

    def run(server, *arguments):
        monkeypatch.setenv("HA_NODE_ROOT", str(server.root))
        monkeypatch.setattr(release_lease, "ADDRESS", server.address)
        capsys.readouterr()
        status = cli.main(["release-lease", *arguments])
        said = capsys.readouterr()
        assert (said.out + said.err).count("\n") == 1
        return status, (said.out + said.err).strip()

    return run


@pytest.fixture
def leases(plane):
    """The leases, as the administrator reads and writes them."""
    server, admin = plane.servers[0], plane.client("admin", "system:masters")

    class Leases:
        def get(self, name):
            return server.call(admin, "GET", PATH + name)

        def put(self, name, who, **spec):
            time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            given = {"leaseDurationSeconds": 15, "leaseTransitions": 3, "renewTime": time, **spec}
            if who:
                given["holderIdentity"] = who
            return server.call(admin, "PUT", PATH + name, {**self.get(name), "spec": given})

        def make(self, name):
            try:
                self.get(name)
            except web.StatusError:
                body = {
                    "apiVersion": "coordination.k8s.io/v1",
                    "kind": "Lease",
                    "metadata": {"name": name, "namespace": "kube-system"},
                }
                with pytest.raises(web.StatusError, match="answered 201"):
                    server.call(admin, "POST", PATH.rstrip("/"), body)

    leases = Leases()
    for name in LEADERS:
        leases.make(name)
    return leases


@pytest.mark.parametrize("daemon", LEADERS)
def test_another_takes_over_from_a_leader_that_was_killed(plane, command, leases, daemon):
    first, second = plane.servers
    leader = first.start_leader(daemon)
    wait_until(lambda: held_on(first.hostname, leases.get(daemon)), "the first leads", leader)
    standby = second.start_leader(daemon)
    wait_until(lambda: b"ttempting to acquire" in standby.log.read_bytes(), "it stands by", standby)
    before = leases.get(daemon)["spec"]

    leader.end(signal.SIGKILL)
    assert holder(leases.get(daemon)) == before["holderIdentity"]
    status, said = command(first, daemon)

    assert (status, said) == (
        0,
        f"release-lease: {daemon}: released the lease of {before['holderIdentity']}",
    )
    # Nobody holds it, unless the other has it already.
    assert not held_on(first.hostname, leases.get(daemon))
    wait_until(lambda: held_on(second.hostname, leases.get(daemon)), "another leads", standby)
    after = leases.get(daemon)["spec"]
    assert after["leaseDurationSeconds"] == 15
    assert after["leaseTransitions"] == before["leaseTransitions"] + 1

    # The unit starts its process again; that one stands by.
    again = first.start_leader(daemon)
    wait_until(lambda: b"ttempting to acquire" in again.log.read_bytes(), "it is back", again)
    again.end(signal.SIGKILL)
    assert command(first, daemon) == (
        0,
        f"release-lease: {daemon}: left the lease to {after['holderIdentity']}",
    )
    now = leases.get(daemon)["spec"]
    assert (now["holderIdentity"], now["acquireTime"]) == (
        after["holderIdentity"],
        after["acquireTime"],
    )
    standby.end(signal.SIGKILL)
    # Free for the next test.
    assert command(second, daemon)[0] == 0
    assert holder(leases.get(daemon)) == ""


def test_a_leader_that_ends_as_it_should_is_served_too(plane, command, leases):
    """kube-controller-manager does not release its lease at a clean exit; kube-scheduler does."""
    server = plane.servers[0]
    leaders = [server.start_leader(name) for name in LEADERS]
    for name in LEADERS:
        wait_until(
            lambda name=name: held_on(server.hostname, leases.get(name)), "it leads", *leaders
        )
    for leader in leaders:
        leader.end(signal.SIGTERM)
    manager, scheduler = (command(server, name) for name in LEADERS)
    assert "released the lease of api-0-" in manager[1]
    assert scheduler == (0, "release-lease: kube-scheduler: nobody holds the lease")
    assert [holder(leases.get(name)) for name in LEADERS] == ["", ""]


def test_it_is_released_as_client_go_does_it(plane, command, leases):
    server = plane.servers[0]
    leases.put(SCHEDULER, f"{server.hostname}_1")
    assert command(server, SCHEDULER)[0] == 0
    spec = leases.get(SCHEDULER)["spec"]
    times = {spec.pop("renewTime"), spec.pop("acquireTime")}
    assert spec == {"leaseDurationSeconds": 1, "leaseTransitions": 3}
    assert len(times) == 1


@pytest.mark.parametrize(
    "who",
    [
        "api-1-10-0-0-7_2",
        # The successor of this node, which has its name and runs beside it.
        "api-0-10-0-0-7_2",
        "api-0_2",
        "{mine}0_2",
        "{mine}",
        "x{mine}_2",
        "",
    ],
)
def test_the_lease_of_anybody_else_is_left_alone(plane, command, leases, who):
    server = plane.servers[0]
    who = who.format(mine=server.hostname)
    before = leases.put(SCHEDULER, who)
    status, said = command(server, SCHEDULER)
    assert status == 0
    assert said.endswith(f"left the lease to {who}" if who else "nobody holds the lease")
    assert leases.get(SCHEDULER) == before


@pytest.mark.parametrize("daemon", LEADERS)
def test_no_lease_is_no_fault(plane, command, leases, daemon):
    server, admin = plane.servers[0], plane.client("admin", "system:masters")
    server.call(admin, "DELETE", PATH + daemon)
    assert command(server, daemon) == (0, f"release-lease: {daemon}: there is no lease")
    with pytest.raises(web.StatusError, match="404"):
        leases.get(daemon)


@pytest.fixture
def between(monkeypatch):
    """Do something between the look at a lease and the write of it, once."""

    def install(action):
        real, done = release_lease.released, []

        def patched(lease, now):
            if not done:
                done.append(action())
            return real(lease, now)

        monkeypatch.setattr(release_lease, "released", patched)
        return done

    return install


def test_a_lease_that_another_took_meanwhile_is_left_alone(plane, command, leases, between):
    server = plane.servers[0]
    leases.put(SCHEDULER, f"{server.hostname}_1")
    taken = between(lambda: leases.put(SCHEDULER, "api-1-10-0-0-7_2"))
    assert command(server, SCHEDULER) == (
        0,
        "release-lease: kube-scheduler: left the lease to api-1-10-0-0-7_2",
    )
    assert leases.get(SCHEDULER) == taken[0]


def test_a_lease_that_was_only_written_meanwhile_is_looked_at_again(
    plane, command, leases, between
):
    server = plane.servers[0]
    mine = f"{server.hostname}_1"
    leases.put(SCHEDULER, mine)
    between(lambda: leases.put(SCHEDULER, mine, leaseTransitions=4))
    assert command(server, SCHEDULER)[1].endswith(f"released the lease of {mine}")
    assert leases.get(SCHEDULER)["spec"]["leaseTransitions"] == 4


class TestTroubles:
    @pytest.fixture
    def server(self, plane):
        """A machine whose API server does not run."""
        server = plane.server(7)
        server.inside(NODE_JSON).write_text(json.dumps(document(server.name)))
        yield server
        plane.servers.remove(server)
        shutil.rmtree(server.root)

    @pytest.mark.parametrize("daemon", LEADERS)
    def test_without_an_api_server_it_gives_up_at_once(self, server, command, daemon):
        status, said = command(server, daemon)
        assert status == 0
        assert said == (
            f"release-lease: {daemon}: its lease stays until it expires: {server.address} did not "
            "answer: ConnectionRefusedError(111, 'Connection refused')"
        )

    def test_an_api_server_that_hangs_is_not_waited_for(self, server, command, monkeypatch):
        monkeypatch.setattr(release_lease, "SECONDS", 0.3)
        with socket.create_server((server.address, 6443)):
            status, said = command(server, SCHEDULER)
        assert status == 0
        assert "its lease stays until it expires" in said
        assert "timed out" in said

    @pytest.mark.parametrize(
        ("answer", "status", "words"),
        [
            (429, 0, "stays until it expires: 127.0.0.1 answered 429"),
            (500, 0, "stays until it expires: 127.0.0.1 answered 500"),
            (401, 1, "scheduler.crt is not accepted; run ha-node reconcile"),
            (403, 1, "scheduler.crt is not accepted; run ha-node reconcile"),
        ],
    )
    def test_answers(self, server, command, monkeypatch, answer, status, words):  # noqa: PLR0917
        class Api(Quiet):
            def do_GET(self):
                self.reply(answer)

        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pki = server.inside(PKI["api"])
        tls.load_cert_chain(pki / "apiserver.crt", pki / "apiserver.key")
        with serve(Api, tls) as port:
            monkeypatch.setattr(server, "address", "127.0.0.1")
            monkeypatch.setattr(release_lease, "PORT", port)
            found, said = command(server, SCHEDULER)
        assert found == status
        assert words in said

    def test_endless_conflicts_end(self, server, command, monkeypatch):
        monkeypatch.setattr(release_lease, "SECONDS", 0.2)
        lease = {"spec": {"holderIdentity": f"{server.hostname}_1"}}

        def conflict(_trust, _daemon, _timeout, body=None):
            if body:
                raise web.StatusError("127.0.0.1", "/", 409)
            return lease

        monkeypatch.setattr(release_lease, "_ask", conflict)
        status, said = command(server, SCHEDULER)
        assert status == 0
        assert said.endswith("its lease stays until it expires: somebody writes it all the time")

    def test_a_certificate_of_another_authority_is_one_sentence(self, plane, server, command):
        other = Authority("another").leaf("system:kube-scheduler")
        pki = server.inside(PKI["api"])
        (pki / "scheduler.crt").write_text(other.certificate)
        (pki / "scheduler.key").write_text(other.key)
        address = plane.servers[0].address
        server.address, env = address, server.inside(NODE_ENV)
        env.write_text(f"NODE_ADDRESS={address}\n")
        status, said = command(server, SCHEDULER)
        assert status == 1
        assert said == (
            f"release-lease: {address} answered 401 to {PATH}{SCHEDULER}: {pki}/scheduler.crt is "
            "not accepted; run ha-node reconcile"
        )

    @pytest.mark.parametrize("file", ["scheduler.crt", "scheduler.key", "ca.crt"])
    def test_a_file_that_is_missing_is_one_sentence(self, server, command, file):
        server.inside(f"{PKI['api']}/{file}").unlink()
        status, said = command(server, SCHEDULER)
        assert status == 1
        assert "No such file" in said
        assert said.endswith("run ha-node reconcile")

    def test_without_an_address_nobody_knows_the_name(self, server, command):
        server.inside(NODE_ENV).unlink()
        status, said = command(server, SCHEDULER)
        assert status == 1
        assert said.endswith("node.env has no address: run ha-node prepare")

    def test_a_daemon_without_a_lease(self, server, command):
        assert command(server, "kube-apiserver") == (
            1,
            "release-lease: kube-apiserver has no lease; those that have: " + ", ".join(LEADERS),
        )


@pytest.mark.skipif(
    os.getuid() != 0 or not Path(PYTHON).exists(),
    reason="only root becomes the daemon's user, with the system's own Python",
)
def test_the_daemons_user_may_run_it(plane, leases, tmp_path_factory):
    """As ExecStopPost does: it may write nowhere, and reads what the daemon reads."""
    server = plane.servers[0]
    mine = f"{server.hostname}_1"
    leases.put(SCHEDULER, mine)
    with tempfile.TemporaryDirectory(prefix="node-") as directory:
        home = Path(directory)
        home.chmod(0o755)
        root = home / "root"
        shutil.copytree(server.root / "etc", root / "etc")
        shutil.copytree(Path(cli.__file__).parent, home / "node")
        nobody = 65534
        for key in (root / "etc/kubernetes/pki").iterdir():
            key.chmod(0o600)
            os.chown(key, nobody, nobody)
        program = (
            "import sys, runpy; from node.api import release_lease; "
            f"release_lease.ADDRESS = '{server.address}'; "
            "from node.cli import main; sys.exit(main(sys.argv[1:]))"
        )
        done = subprocess.run(
            [PYTHON, "-c", program, "release-lease", SCHEDULER],
            user=nobody,
            group=nobody,
            extra_groups=[],
            cwd=home,
            env={"HA_NODE_ROOT": str(root)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stderr, done.returncode) == ("", 0)
        assert done.stdout == f"release-lease: kube-scheduler: released the lease of {mine}\n"
        assert not (root / "run").exists()
    assert holder(leases.get(SCHEDULER)) == ""


labels = st.from_regex(r"[a-z]([a-z0-9-]{0,15}[a-z0-9])?", fullmatch=True)


@given(labels, st.ip_addresses(v=4), st.uuids(), st.dictionaries(st.text(max_size=5), st.text()))
def test_what_was_released_belongs_to_nobody_and_is_otherwise_as_it_was(name, address, uuid, rest):
    machine = hostname(name, str(address))
    spec = {**rest, "holderIdentity": f"{machine}_{uuid}", "leaseTransitions": 4}
    lease = {"metadata": {"resourceVersion": "17"}, "spec": spec}
    assert held_on(machine, lease)
    after = released(lease, datetime(2026, 11, 1, 2, 3, 4, 5, UTC))
    assert holder(after) == ""
    assert not held_on(machine, after)
    assert after["metadata"] == lease["metadata"]
    assert after["spec"] == {
        **rest,
        "leaseTransitions": 4,
        "leaseDurationSeconds": 1,
        "acquireTime": "2026-11-01T02:03:04.000005Z",
        "renewTime": "2026-11-01T02:03:04.000005Z",
    }


@given(labels, st.ip_addresses(v=4), labels, st.ip_addresses(v=4), st.uuids())
def test_machines_never_take_each_others_lease_for_their_own(name, address, other, theirs, uuid):
    mine, else_s = hostname(name, str(address)), hostname(other, str(theirs))
    lease = {"spec": {"holderIdentity": f"{else_s}_{uuid}"}}
    assert held_on(mine, lease) == (mine == else_s)
    if address != theirs:
        assert mine != else_s


def test_a_certificate_for_every_leader():
    assert tuple(CERTIFICATES) == LEADERS
