"""What HAProxy is told, and what it answers."""

import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.machines.load_balancer import haproxy_format
from lab.machines.load_balancer.haproxy_format import Server, render, servers
from lab.tests.load_balancer_samples import CHECK, GROUP, ONE, OTHER, load_balancer, node


def section(text: str, name: str) -> list[str]:
    """The lines of a section."""
    lines = text.splitlines()
    begin = lines.index(name) + 1
    end = next((i for i, line in enumerate(lines[begin:], begin) if line[0] != " "), len(lines))
    return [line.strip() for line in lines[begin:end]]


def test_a_node_listens_on_its_own_address_and_fails_open():
    assert section(render(load_balancer(fewest=2), node(1)), "frontend port-6443") == [
        "bind 10.0.32.9:6443",
        "timeout client 350s",
        "use_backend api.all if { nbsrv(api) lt 2 }",
        "default_backend api",
    ]


def test_the_health_check_is_as_declared():
    found = section(render(load_balancer(), node(0)), "backend api")
    assert found == [
        "# check check-ssl verify none inter 5s fall 3 rise 2",
        "balance random(1)",
        "timeout server 350s",
        "log global",
        "option log-health-checks",
        "timeout check 4s",
        "option httpchk",
        (
            "http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host 10.0.0.9 "
            "hdr User-Agent ELB-HealthChecker/2.0"
        ),
        "http-check expect status 200",
    ]


def test_a_tcp_check_asks_nothing():
    text = render(load_balancer(check=replace(CHECK, protocol="TCP")), node(0))
    assert "httpchk" not in text
    group = replace(GROUP, check=replace(CHECK, protocol="TCP"))
    assert "check-ssl" not in haproxy_format.add(group, ONE)[0]


def test_a_configuration_names_only_the_servers_that_are_taken_over():
    assert "  server " not in render(load_balancer(), node(0))
    text = render(load_balancer(cross_zone=False), node(0), {ONE.name, OTHER.name, "10.0.0.7:6443"})
    named = [line for line in text.splitlines() if line.startswith("  server ")]
    assert named == [
        (
            "  server 10.0.0.5:6443 10.0.0.5:6443 weight 1 "
            "check check-ssl verify none inter 5s fall 3 rise 2"
        ),
        "  server 10.0.0.5:6443 10.0.0.5:6443 weight 1",
    ]


def test_a_new_target_gets_nothing_before_its_first_check():
    assert haproxy_format.add(GROUP, ONE) == (
        (
            "add server api/10.0.0.5:6443 10.0.0.5:6443 weight 0 "
            "check check-ssl verify none inter 5s fall 3 rise 2"
        ),
        "add server api.all/10.0.0.5:6443 10.0.0.5:6443 weight 0",
        "enable health api/10.0.0.5:6443",
        "enable server api/10.0.0.5:6443",
        "enable server api.all/10.0.0.5:6443",
    )


def test_declared_port_and_termination():
    group = replace(GROUP, terminate_unhealthy=True, check=replace(CHECK, port=9443))
    line = haproxy_format.add(group, ONE)[0]
    assert " port 9443 " in line
    assert line.endswith(" on-marked-down shutdown-sessions")


HEADER = "# pxname,svname,scur,status,weight,lastchg,check_status,\n"


@pytest.mark.parametrize(
    ("row", "server"),
    [
        ("0,UP 1/2,0,0,INI", Server("api", "a", False, True, False, 0, 0)),
        ("0,UP,0,7,* L7OK", Server("api", "a", True, True, False, 7, 0)),
        ("3,UP 1/2,1,7,L7STS", Server("api", "a", True, True, True, 7, 3)),
        ("0,DOWN 1/2,1,7,L7OK", Server("api", "a", True, False, True, 7, 0)),
        ("1,DRAIN,1,7,L7OK", Server("api", "a", True, True, False, 7, 1)),
        ("0,MAINT,1,7,L7OK", Server("api", "a", True, False, True, 7, 0)),
        ("2,no check,1,7,", Server("api", "a", False, True, True, 7, 2)),
    ],
)
def test_answers_are_understood(row, server):
    assert servers(f"{HEADER}api,a,{row},\n") == (server,)


@pytest.mark.parametrize("answer", ["", "Unknown command", "# other,columns,\n"])
def test_an_answer_that_is_none_is_refused(answer):
    with pytest.raises(ValueError, match="HAProxy answers"):
        servers(answer)


paths = st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=20)
checks = st.builds(
    replace,
    st.just(CHECK),
    protocol=st.sampled_from(["HTTP", "HTTPS", "TCP"]),
    path=paths.map(lambda text: f"/{text}"),
    matcher=st.sampled_from(["200", "200,204", "200-299", "200-202,404"]),
    interval=st.integers(5, 300),
    timeout=st.integers(2, 120),
    port=st.none() | st.integers(1, 65535),
)


@settings(deadline=None, max_examples=20)
@given(check=checks, fewest=st.integers(1, 9), cut=st.booleans())
def test_haproxy_takes_every_configuration(tmp_path_factory, check, fewest, cut):
    if shutil.which("haproxy") is None:
        pytest.skip("haproxy is not installed")
    file = tmp_path_factory.mktemp("haproxy") / "haproxy.cfg"
    text = render(
        load_balancer(check=check, fewest=fewest, terminate_unhealthy=cut), node(0), {ONE.name}
    )
    file.write_text(text)
    done = subprocess.run(
        ["haproxy", "-c", "-f", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
