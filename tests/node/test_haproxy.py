"""HAProxy's configuration, and what it is told while it runs."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.api.haproxy import Change, Server, change, render, servers
from node.membership import Member

members = st.lists(
    st.builds(
        Member,
        st.integers(0, 6).map(lambda n: f"etcd-{n}"),
        st.ip_addresses(v=4).map(str),
    ),
    min_size=1,
    max_size=7,
    unique_by=lambda member: member.name,
)
running = st.lists(
    st.builds(
        Server,
        st.integers(0, 6).map(lambda n: f"etcd-{n}"),
        st.sampled_from(["10.0.224.4", "10.0.224.5", "10.0.224.6"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=7,
    unique_by=lambda server: server.name,
)
wanted = st.lists(
    st.builds(
        Member,
        st.integers(0, 6).map(lambda n: f"etcd-{n}"),
        st.sampled_from(["10.0.224.4", "10.0.224.5", "10.0.224.6"]),
    ),
    min_size=1,
    max_size=7,
    unique_by=lambda member: member.name,
)


@given(members, st.randoms())
def test_the_order_of_the_membership_changes_nothing(members, random):
    shuffled = list(members)
    random.shuffle(shuffled)
    assert render(shuffled) == render(members)


@given(members)
def test_every_member_is_a_server_of_its_name_and_nobody_else(members):
    lines = render(members).splitlines()
    servers = [line.split()[1:] for line in lines if line.startswith("  server ")]
    assert servers == 2 * sorted([m.name, f"{m.address}:2379"] for m in members)


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="no haproxy here")
def test_haproxy_accepts_it(tmp_path):
    path = tmp_path / "etcd-proxy.cfg"
    path.write_text(render([Member(f"etcd-{n}", f"10.0.224.{n}") for n in range(7)]))
    subprocess.run(["haproxy", "-c", "-f", path], check=True)


HEADER = (
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state "
    "srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl "
    "srv_check_port srv_check_addr srv_agent_addr srv_agent_port"
)


@pytest.mark.parametrize(
    ("state", "admin", "weight", "up", "used"),
    [
        (2, 0, 1, True, True),
        (0, 0, 1, False, True),
        (0, 1, 1, False, False),
        (2, 0, 0, True, False),
    ],
)
def test_servers_are_read_from_their_states(state, admin, weight, up, used):
    row = f"2 etcd 1 etcd-0 10.0.224.4 {state} {admin} {weight} 1 2 15 3 3 6 0 0 0 - 2379 - 0 2381 - - 2381"
    assert servers(f"1\n{HEADER}\n{row}\n\n") == (Server("etcd-0", "10.0.224.4", up, used),)
    assert servers(f"1\n{HEADER}\n") == ()


@pytest.mark.parametrize(
    "answer",
    ["", "\n", "Can't find backend.", f"2\n{HEADER}\n", f"1\n{HEADER}\n2 etcd\n", "1\n# x\ny"],
)
def test_what_is_no_table_of_servers_is_refused(answer):
    with pytest.raises(ValueError, match=r"HAProxy says|zip"):
        servers(answer)


@given(running, wanted)
def test_a_change_reaches_the_membership_and_ends_no_connection_of_it(have, wanted):
    step = change(have, wanted)
    addresses = {m.name: m.address for m in wanted}
    by_name = {s.name: s for s in have}

    # What is wanted, at its address, is never removed.
    for name in step.remove:
        assert addresses.get(name) != by_name[name].address
    # What is not wanted stays exactly as long as etcd serves there.
    assert set(step.keep) == {s.name for s in have if s.name not in addresses and s.up and s.used}
    left = {s.name: s.address for s in have if s.name not in step.remove}
    assert not set(left) & {m.name for m in step.add}
    after = left | {m.name: m.address for m in step.add}
    assert after == addresses | {name: by_name[name].address for name in step.keep}
    # Everything that is wanted gets connections.
    idle = {s.name for s in have if not s.used} & set(left)
    assert set(step.use) == idle & set(addresses)

    reached = [Server(n, a, True, n in addresses or by_name[n].used) for n, a in after.items()]
    assert change(reached, wanted) == Change(keep=step.keep)


def test_a_removed_server_of_another_address_is_added_again():
    have = [Server("etcd-0", "10.0.224.4", True, True)]
    member = Member("etcd-0", "10.0.224.9")
    assert change(have, [member]) == Change(add=(member,), remove=("etcd-0",))
