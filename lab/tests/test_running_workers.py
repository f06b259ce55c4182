"""Workers as people name and see them."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from rich.console import Console

from lab.commands import completion
from lab.lab_errors import LabError
from lab.running import probe
from lab.running.node_names import Node, choose, nodes, tier
from lab.running.node_snapshot import NodeSnapshot, Worker, read
from lab.running.ready import missing
from lab.running.status_changes import changes, facts
from lab.running.timeline import phases
from lab.running.view import Look, view
from lab.running.workers_table import row
from lab.tests.snapshot_samples import WELL
from lab.tests.test_running_status import NOW, WELL_CLUSTER, printed

UNITS = {"kubelet.service": {"ActiveState": "active"}}


def worker(number: int = 4, pool: str = "general", **changes) -> NodeSnapshot:
    """A worker that joined, at 10.0.8.<number>."""
    instance = replace(
        WELL.node.instance,
        id=f"i-{number}",
        name=f"local-workers-{pool}",
        address=IPv4Address(f"10.0.8.{number}"),
        pool=pool,
    )
    well = replace(
        WELL,
        node=Node(f"ip-10-0-8-{number}", instance),
        units=UNITS,
        worker=Worker("joined", ""),
    )
    return replace(well, **changes)


JOINING = Worker("joining", "the API server answers 503")


def instances():
    return [worker(number).node.instance for number in (5, 4)] + [WELL.node.instance]


def test_a_worker_is_named_as_its_node_in_kubernetes_begins():
    found = nodes(instances(), "local")
    assert list(found) == ["api-0", "ip-10-0-8-4", "ip-10-0-8-5"]
    assert [tier(name) for name in found] == ["api", "worker", "worker"]


@pytest.mark.parametrize(
    "given", ["ip-10-0-8-5", "ip-10-0-8-5.eu-central-1.compute.internal", "i-5"]
)
def test_a_worker_is_meant_by_its_names_and_its_id(given):
    assert choose(given, nodes(instances(), "local")).instance.id == "i-5"


def test_the_tag_of_a_pool_means_none_of_its_machines():
    with pytest.raises(LabError, match="There is no machine 'local-workers-general'"):
        choose("local-workers-general", nodes(instances(), "local"))


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (worker(), "joined"),
        (worker(worker=JOINING), "joining: the API server answers 503"),
        (worker(worker=Worker("draining", "3 pods left")), "draining: 3 pods left"),
        (worker(worker=None), "boots, or goes down"),
        (worker(runs=False, worker=None), "off"),
        (worker(fault="no power", runs=False, worker=None), "no power"),
        (worker(units={}), "kubelet is down"),
    ],
)
def test_it_says_whether_it_joined_and_why_not(seen, says):
    assert row(seen)[-1][0] == says


def test_the_view_has_them_in_a_table_of_their_own():
    seen = [*WELL_CLUSTER, worker(4), worker(5, "batch", worker=JOINING)]
    lines = [line.rstrip() for line in printed(view(Look(NOW, seen)))]
    first = lines.index("worker       pool     zone  API says  it says")
    assert lines[first + 2 : first + 4] == [
        "ip-10-0-8-4  general  a     running   joined",
        "ip-10-0-8-5  batch    a     running   joining: the API server answers 503",
    ]
    assert not [line for line in lines[:first] if line.startswith("ip-")]
    assert lines[-1] == "cluster: ip-10-0-8-5 is joining: the API server answers 503"


def test_without_workers_there_is_no_such_table():
    assert not [line for line in printed(view(Look(NOW, WELL_CLUSTER))) if "worker" in line]


def test_a_long_reason_is_not_cut():
    seen = worker(worker=Worker("joining", "word " * 40 + "end"))
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(view(Look(NOW, [*WELL_CLUSTER, seen])))
    assert "end" in console.file.getvalue()
    assert all(len(line) <= 80 for line in console.file.getvalue().splitlines())


@pytest.mark.parametrize(
    ("seen", "lacks"),
    [
        (worker(), []),
        (worker(worker=JOINING), ["ip-10-0-8-4 is joining: the API server answers 503"]),
        (worker(worker=None), ["ip-10-0-8-4 boots, or goes down"]),
        (worker(runs=False, worker=None), ["ip-10-0-8-4 is off"]),
    ],
)
def test_a_cluster_is_ready_when_every_worker_joined(seen, lacks):
    assert missing([*WELL_CLUSTER, seen]) == lacks


def test_what_happens_to_a_worker_is_told():
    before = facts([*WELL_CLUSTER, worker(worker=JOINING)])
    after = facts([*WELL_CLUSTER, worker()])
    assert changes(before, after) == ["ip-10-0-8-4: joined"]
    assert changes(after, facts(WELL_CLUSTER)) == ["ip-10-0-8-4: gone"]


def test_a_worker_is_read_from_its_own_words():
    said = {"units": UNITS, "worker": {"state": "joining", "reason": None, "pool": "general"}}
    found = read(worker().node, said, fault=None, target=None, check="ok")
    assert found.worker == Worker("joining", "")
    assert (found.etcd, found.api) == (None, None)
    assert read(worker().node, {}, fault=None, target=None, check="ok").worker is None


def test_the_status_of_a_worker_is_its_agents_file(tmp_path, monkeypatch):
    status = tmp_path / "worker.json"
    monkeypatch.setattr(probe, "WORKER_STATUS", str(status))
    assert probe.worker_status() is None
    status.write_text('{"state": "join')
    assert probe.worker_status() is None
    status.write_text(json.dumps({"state": "joined", "reason": ""}))
    assert probe.worker_status() == {"state": "joined", "reason": ""}


def test_its_boot_ends_with_the_kubelet():
    active = {"ActiveState": "active", "ActiveEnterTimestampMonotonic": str(int(112.5e6))}
    seen = worker(userspace=100.0, units={"kubelet.service": active})
    assert phases(seen) == {"ready": 12.5}


def test_its_units_complete():
    assert {"kubelet", "kube-proxy", "containerd"} <= set(completion.UNITS)


def test_the_probe_needs_nothing_but_the_standard_library():
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import runpy; runpy.run_path({probe.__file__!r})"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
