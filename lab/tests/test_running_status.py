"""What `status` shows at which width, what it calls a change, and how it goes on."""

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lab.__main__ import main
from lab.commands import machine_status
from lab.running.node_snapshot import ApiServer, Member, NodeSnapshot
from lab.running.status_changes import changes, facts
from lab.running.table import row, table
from lab.running.view import Look, view
from lab.running.watch import watch
from lab.tests.snapshot_samples import MANAGER, SCHEDULER, VOTERS, WELL, member, node, server

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WELL_CLUSTER = (
    member("etcd-0", leader=True),
    member("etcd-1"),
    server("api-0", (MANAGER,)),
    server("api-1", (SCHEDULER,)),
)


def printed(shown: object, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False, color_system=None)
    console.print(shown)
    return console.file.getvalue().splitlines()


# Widths


@st.composite
def snapshots(draw: st.DrawFn) -> NodeSnapshot:
    tier, number = draw(st.sampled_from(["etcd", "api"])), draw(st.integers(0, 8))
    id_ = f"i-{draw(st.text('0123456789abcdef', min_size=17, max_size=17))}"
    name = f"{tier}-{number}" + draw(st.sampled_from(["", f"/{id_}"]))
    zone = draw(st.sampled_from(["eu-central-1a", "eu-central-1b", "ap-southeast-2c"]))
    state = draw(st.sampled_from(["pending", "running", "stopping", "stopped", "shutting-down"]))
    holders = draw(
        st.fixed_dictionaries(
            {
                lease: st.sampled_from([None, f"{name}_x", "other_x"])
                for lease in (MANAGER, SCHEDULER)
            }
        )
    )
    said = st.builds(
        Member,
        id=st.just(7),
        role=st.sampled_from(["voter", "learner"]),
        leader=st.booleans(),
        revision=st.integers(0, 10**12),
        size=st.just(1),
        members=st.sampled_from([None, VOTERS]),
    )
    api = st.builds(ApiServer, ready=st.booleans(), holders=st.just(holders))
    return replace(
        WELL,
        node=node(name, zone, state=state),
        fault=draw(st.sampled_from([None, None, "no power", "isolated"])),
        runs=draw(st.booleans()),
        units=draw(st.sampled_from([{}, WELL.units, {"etcd.service": {"ActiveState": "failed"}}])),
        etcd=draw(st.none() | said) if tier == "etcd" else None,
        api=draw(st.none() | api) if tier == "api" else None,
        target=draw(st.sampled_from([None, "initial", "healthy", "unhealthy.draining", "unused"])),
        check=draw(st.sampled_from([None, "ok", "initializing", "impaired"])),
    )


@given(st.lists(snapshots(), min_size=1, max_size=16), st.integers(80, 200))
def test_nothing_is_cut_at_any_width_from_80_on(seen, width):
    lines = printed(table(seen), width)
    assert all(len(line) <= width for line in lines)
    assert "…" not in "".join(lines)
    letters = sorted(re.sub(r"[\s─]", "", "".join(lines)))
    region = lines[0].removeprefix("Machines in ") if lines[0].startswith("Machines") else ""
    cells = [text for one in seen for text, _ in row(one, region.strip())]
    title = "Machines in" + region if region else ""
    heads = "machine zone API says it says etcd revision leads"
    assert letters == sorted(re.sub(r"\s", "", title + heads + "".join(cells)))


@given(st.lists(snapshots(), max_size=16), st.integers(80, 200))
def test_no_line_of_the_view_is_longer_than_the_terminal(seen, width):
    assert all(len(line) <= width for line in printed(view(Look(NOW, seen)), width))


def test_a_cluster_that_is_well_has_a_line_a_machine():
    shown = [
        line.rstrip() for line in printed(view(Look(NOW, WELL_CLUSTER, ["zone b is cut off"])))
    ]
    assert shown == [
        "Machines in eu-central-1",
        "machine  zone  API says          it says  etcd   revision  leads",
        "─" * len(shown[2]),
        "etcd-0   a     running           ready    voter  42        etcd",
        "etcd-1   a     running           ready    voter  42",
        "api-0    a     running, healthy  ready                     controller manager",
        "api-1    a     running, healthy  ready                     scheduler",
        "fault: zone b is cut off",
        "certificates: the first one ends 2027-11-04, on api-0",
        "cluster: ready",
    ]


def test_zones_of_different_regions_are_written_out():
    other = replace(WELL_CLUSTER[0], node=node("etcd-0", "eu-west-1a"))
    shown = printed(table([other, WELL_CLUSTER[1]]))
    assert shown[0].startswith("machine")
    assert "eu-west-1a" in shown[2]
    assert "eu-central-1a" in shown[3]


@pytest.mark.parametrize(
    ("days", "words", "style"),
    [(31, "ends", ""), (29, "ends", "yellow"), (-1, "ended", "red")],
)
def test_the_certificate_that_ends_first_is_named(days, words, style):
    sooner = replace(WELL_CLUSTER[1], expires=NOW + timedelta(days=days))
    line = next(
        line
        for line in view(Look(NOW, [WELL_CLUSTER[0], sooner])).renderables
        if "certificates" in str(line)
    )
    assert str(line) == f"certificates: the first one {words} {sooner.expires:%Y-%m-%d}, on etcd-1"
    assert line.style == style


# Changes


def happened(before, after):
    return changes(facts(before), facts(after))


def changed(name, **values):
    return [replace(one, **values) if one.node.name == name else one for one in WELL_CLUSTER]


def test_nothing_happened_where_only_the_revision_moved():
    later = [replace(one, etcd=one.etcd and replace(one.etcd, revision=99)) for one in WELL_CLUSTER]
    assert happened(WELL_CLUSTER, later) == []


def test_a_machine_goes_off_and_comes_back():
    off = changed("etcd-1", runs=False, units={}, etcd=None)
    assert happened(WELL_CLUSTER, off) == ["etcd-1: off"]
    assert happened(off, WELL_CLUSTER) == ["etcd-1: ready"]
    dark = changed("etcd-1", runs=False, fault="no power", etcd=None)
    assert happened(WELL_CLUSTER, dark) == ["etcd-1: no power"]


def test_the_load_balancer_changes_its_mind():
    sick = changed("api-0", target="unhealthy")
    assert happened(WELL_CLUSTER, sick) == ["api-0: API says running, unhealthy"]


def test_leaders_change():
    after = [
        member("etcd-0"),
        member("etcd-1", leader=True),
        server("api-0"),
        server("api-1", (SCHEDULER,)),
    ]
    assert happened(WELL_CLUSTER, after) == ["etcd-1 leads etcd", "nobody leads controller manager"]
    both = [member("etcd-0", leader=True), *after[1:]]
    assert happened(after, both) == ["etcd-0 and etcd-1 lead etcd"]


def test_members_join_are_promoted_and_leave():
    def cluster(**more):
        return [member("etcd-0", leader=True, members=VOTERS | more)]

    started, learner = cluster(), cluster(**{"etcd-2": "learner"})
    voter = cluster(**{"etcd-2": "voter"})
    # Added, and never started: it has no name yet.
    assert happened(started, cluster(**{"8e9e05c52164694d": "learner"})) == []
    assert happened(started, learner) == ["etcd-2 joined etcd as a learner"]
    assert happened(learner, voter) == ["etcd-2 was promoted to voter"]
    assert happened(voter, started) == ["etcd-2 left etcd, where it was a voter"]


def test_members_are_remembered_while_there_is_no_quorum():
    before, between = facts(WELL_CLUSTER), facts([member("etcd-0", members=None)])
    assert between.members == {}
    kept = facts([member("etcd-0", members=None)], before)
    assert kept.members == VOTERS
    after = facts([member("etcd-0", leader=True, members={"etcd-0": "voter"})], kept)
    assert "etcd-1 left etcd, where it was a voter" in changes(kept, after)
    # Nobody joined: they were not known.
    assert not [one for one in changes(between, before) if "joined" in one]


def test_a_successor_takes_the_name_of_its_predecessor():
    def machine(name, id_):
        return replace(
            server(name), node=replace(node(name), instance=replace(WELL.node.instance, id=id_))
        )

    alone = [machine("api-0", "i-a")]
    both = [*alone, machine("api-0/i-b", "i-b")]
    assert happened(alone, both) == ["api-0/i-b: API says running, healthy", "api-0/i-b: ready"]
    assert happened(both, [machine("api-0", "i-b")]) == ["api-0: gone"]


# Going on


def looks(*clusters):
    """A lab that is in each of these states, one after the other, and then somebody interrupts."""
    left = iter([Look(NOW + timedelta(seconds=3 * n), one) for n, one in enumerate(clusters)])

    def look():
        for one in left:
            return one
        raise KeyboardInterrupt

    return look


def watched(look, *, terminal):
    console = Console(file=io.StringIO(), width=80, height=40, force_terminal=terminal)
    pauses = []
    with pytest.raises(KeyboardInterrupt):
        watch(look, console, pauses.append)
    return console.file.getvalue(), pauses


OFF = changed("etcd-1", runs=False, units={}, etcd=None)


def test_elsewhere_a_block_is_printed_when_something_happened():
    text, pauses = watched(looks(WELL_CLUSTER, WELL_CLUSTER, OFF, OFF), terminal=False)
    assert len(pauses) == 4
    assert "\x1b" not in text
    assert all(len(line) <= 80 for line in text.splitlines())
    first, second = text.split("12:00:06 UTC\n")
    assert first.count("Machines in") == second.count("Machines in") == 1
    assert "cluster: ready" in first
    assert second.rstrip().endswith("cluster: etcd-1 is off\n12:00:06 etcd-1: off")


def test_a_terminal_refreshes_in_place_and_keeps_what_happened():
    text, _ = watched(looks(WELL_CLUSTER, OFF, WELL_CLUSTER), terminal=True)
    assert "\x1b[1A" in text, "goes up to where it began"
    last = text.rpartition("12:00:06 UTC")[2]
    assert "12:00:03 etcd-1: off" in last
    assert "12:00:06 etcd-1: ready" in last


def test_an_interrupt_ends_it_well(tmp_path, monkeypatch, capsys):
    look = looks(WELL_CLUSTER)
    monkeypatch.setattr(machine_status, "find", lambda _: None)
    monkeypatch.setattr(machine_status, "look", lambda _: look())
    monkeypatch.setattr("lab.running.watch.SECONDS", 0)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert main(["--state", str(tmp_path), "status", "--watch"]) == 0
    said = capsys.readouterr()
    assert "cluster: ready" in said.out
    assert said.err == ""


def test_only_a_lab_that_is_up_is_watched(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert main(["--state", str(tmp_path), "status", "--watch"]) == 1
    assert capsys.readouterr().err == "error: The lab is not up: start it with `make lab`.\n"
