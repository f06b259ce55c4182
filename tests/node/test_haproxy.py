"""HAProxy's configuration."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.api.haproxy import render
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


@given(members, st.randoms())
def test_the_order_of_the_membership_changes_nothing(members, random):
    shuffled = list(members)
    random.shuffle(shuffled)
    assert render(shuffled) == render(members)


@given(members)
def test_every_member_is_a_server_of_its_name_and_nobody_else(members):
    lines = render(members).splitlines()
    servers = [line.split()[1:] for line in lines if line.startswith("  server ")]
    assert servers == sorted([m.name, f"{m.address}:2379"] for m in members)


def test_it_is_what_was_measured():
    text = render([Member("etcd-0", "10.0.224.4")])
    for line in (
        "bind 127.0.0.1:2379",
        "mode tcp",
        "balance leastconn",
        "timeout connect 1s",
        "option redispatch",
        "option httpchk GET /health?exclude=NOSPACE",
        "default-server check port 2381 inter 500ms fastinter 250ms fall 2 rise 2 on-marked-down shutdown-sessions",
        "server etcd-0 10.0.224.4:2379",
    ):
        assert f"\n  {line}\n" in text


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="no haproxy here")
def test_haproxy_accepts_it(tmp_path):
    path = tmp_path / "etcd-proxy.cfg"
    path.write_text(render([Member(f"etcd-{n}", f"10.0.224.{n}") for n in range(7)]))
    subprocess.run(["haproxy", "-c", "-f", path], check=True)
