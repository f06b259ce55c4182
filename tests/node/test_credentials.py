"""Certificates and keys: the complete old set or the complete new one."""

import re
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
from itertools import product
from pathlib import Path

import pytest

from components.naming import ApiServer, EtcdMember
from components.pki.certificates import api_server_certificates, member_certificates
from node import credentials
from node.errors import NodeError
from node.settings import CA_OF, FILES
from tests.node.issued_certificates import Authority, api_files, etcd_files

ADDRESS = "10.0.224.4"


def on_disk(settings):
    return {path.name: path.read_text() for path in settings.pki.iterdir()}


@pytest.fixture
def first(authority):
    return etcd_files(authority, "etcd-0", ADDRESS)


@pytest.fixture
def second(authority):
    return etcd_files(authority, "etcd-0", ADDRESS)


@pytest.mark.parametrize("tier", ["etcd", "api"])
def test_a_set_is_written_for_its_daemon_only(node, authority, users, tier):
    settings = node(f"{tier}-0")
    files = {
        "etcd": lambda: etcd_files(authority, "etcd-0", ADDRESS),
        "api": lambda: api_files(authority),
    }[tier]()
    assert set(files) == set(FILES[tier])
    assert credentials.replace(settings, files) == list(FILES[tier])
    assert on_disk(settings) == files
    owner = {"etcd": "etcd", "api": "kubernetes"}[tier]
    assert {user for _name, user in users} == {owner}
    for path in settings.pki.iterdir():
        secret = path.suffix in {".key", ".yaml"}
        assert path.stat().st_mode & 0o777 == (0o600 if secret else 0o644), path.name


def test_what_is_unchanged_is_not_touched(node, first, second):
    settings = node()
    credentials.replace(settings, first)
    before = {path.name: path.stat().st_ino for path in settings.pki.iterdir()}
    changed = {**first, "peer.crt": second["peer.crt"], "peer.key": second["peer.key"]}
    assert credentials.replace(settings, changed) == ["peer.crt", "peer.key"]
    after = {path.name: path.stat().st_ino for path in settings.pki.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"peer.crt", "peer.key"}
    assert credentials.replace(settings, changed) == []


@pytest.mark.parametrize("name", FILES["etcd"])
@pytest.mark.parametrize("damage", ["absent", "empty", "garbage", "of another"])
def test_a_set_that_is_not_whole_leaves_the_old_one(node, first, second, name, damage):
    settings = node()
    credentials.replace(settings, first)
    wrong = dict(second)
    if damage == "absent":
        del wrong[name]
    else:
        another = Authority("another").leaf("etcd-0", ADDRESS)
        wrong[name] = {
            "empty": "",
            "garbage": "-----BEGIN GARBAGE-----\n",
            "of another": another.key if name.endswith(".key") else another.certificate,
        }[damage]
    certificate = str(Path(name).with_suffix(".crt"))
    named = name if damage in {"absent", "empty"} else certificate
    if (name, damage) == ("ca.crt", "of another"):
        named = "server.crt is not signed by ca.crt, peer.crt is not signed by ca.crt"
    with pytest.raises(NodeError, match=re.escape(named)) as error:
        credentials.replace(settings, wrong)
    assert "PRIVATE" not in str(error.value)
    assert on_disk(settings) == first


@pytest.mark.parametrize("leaf", CA_OF["api"])
@pytest.mark.parametrize("when", ["another CA", "days", "starts"])
def test_a_leaf_that_nobody_would_accept_keeps_the_old_set(node, authority, leaf, when):
    settings = node("api-0")
    old = api_files(authority)
    credentials.replace(settings, old)
    # Of the same name as the right one: a name proves nothing.
    signer = Authority("etcd-ca") if when == "another CA" else authority
    wrong = signer.leaf(leaf, "127.0.0.1", **({} if signer is not authority else {when: 0.04}))
    if when == "days":
        wrong = authority.leaf(leaf, "127.0.0.1", days=-0.04)
    new = {**api_files(authority), f"{leaf}.crt": wrong.certificate, f"{leaf}.key": wrong.key}
    # But of the CAs that are there, as when leaves are reissued.
    new |= {name: old[name] for name in ("ca.crt", "ca.key", "etcd-ca.crt", "front-proxy-ca.crt")}
    said = {
        "another CA": f"{leaf}.crt is not signed by {CA_OF['api'][leaf]}: run pulumi up",
        "days": f"{leaf}.crt expired at ",
        "starts": f"{leaf}.crt is valid from ",
    }[when]
    with pytest.raises(NodeError, match=re.escape(said)):
        credentials.replace(settings, new)
    assert on_disk(settings) == old


@pytest.mark.parametrize("ca", sorted(set(CA_OF["api"].values())))
def test_another_ca_under_leaves_that_stay_is_refused(node, authority, ca):
    settings = node("api-0")
    old = api_files(authority)
    credentials.replace(settings, old)
    another = Authority("etcd-ca").pair
    new = {**old, ca: another.certificate, **({"ca.key": another.key} if ca == "ca.crt" else {})}
    with pytest.raises(NodeError, match=f"is not signed by {ca}"):
        credentials.replace(settings, new)
    assert on_disk(settings) == old


def test_the_last_to_become_valid_says_when_the_set_is(node, first, authority):
    settings = node()
    credentials.replace(settings, first)
    sooner, later = (authority.leaf(name, ADDRESS, starts=d) for name, d in (("a", 0.1), ("b", 1)))
    new = {**first, "server.crt": later.certificate, "server.key": later.key}
    new |= {"peer.crt": sooner.certificate, "peer.key": sooner.key}
    with pytest.raises(NodeError, match=r"server.crt is valid from"):
        credentials.replace(settings, new)


def test_a_public_key_of_another_private_key_is_refused(node, authority):
    """Tokens that an API server signs would be refused by all."""
    settings = node("api-0")
    old = api_files(authority)
    credentials.replace(settings, old)
    with pytest.raises(NodeError, match=r"sa.pub is not of sa.key: run pulumi up"):
        credentials.replace(settings, {**old, "sa.key": authority.leaf("sa").key})
    assert on_disk(settings) == old


def test_a_lost_file_comes_back_beside_a_certificate_that_has_expired(node):
    """What is on disk already is not judged again."""
    settings = node()
    expired = etcd_files(Authority("etcd-ca", days=-0.1), "etcd-0", ADDRESS)
    settings.pki.mkdir(parents=True)
    for name, content in expired.items():
        (settings.pki / name).write_text(content)
    (settings.pki / "peer.key").unlink()
    assert credentials.replace(settings, expired) == ["peer.key"]


def test_without_openssl_nothing_is_installed(node, first, second, monkeypatch, tmp_path):
    settings = node()
    credentials.replace(settings, first)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NodeError, match="openssl"):
        credentials.replace(settings, second)
    assert on_disk(settings) == first


def test_every_leaf_is_checked_against_the_ca_that_signs_it():
    """As the program's PKI issues them, and as it names the files of its CAs."""
    member = EtcdMember("etcd-0", "zone", IPv4Address(ADDRESS))
    server = ApiServer("api-0", "zone")
    specs = {
        "etcd": member_certificates(member),
        "api": api_server_certificates(
            server, service_cidr=IPv4Network("10.96.0.0/12"), dns_name="example"
        ),
    }
    file = {
        "etcd": {"etcd": "ca.crt"},
        "api": {
            "kubernetes": "ca.crt",
            "etcd": "etcd-ca.crt",
            "front-proxy": "front-proxy-ca.crt",
        },
    }
    for tier, leaves in specs.items():
        assert {spec.file: file[tier][spec.ca] for spec in leaves} == CA_OF[tier]


def test_a_file_that_rotted_on_disk_is_replaced(node, first):
    settings = node()
    credentials.replace(settings, first)
    (settings.pki / "peer.key").write_bytes(b"\xff\xfe rotten")
    assert credentials.problems(settings, settings.pki) == ["peer.crt is damaged or not of its key"]
    assert credentials.replace(settings, first) == ["peer.key"]
    assert on_disk(settings) == first


@pytest.mark.parametrize(
    "stop", list(product(["rename", "replace", "unlink", "rmdir", "chmod"], [1, 2, 3, 5, 7]))
)
def test_stopped_anywhere_a_whole_set_is_there_after_finishing(
    node, first, second, monkeypatch, stop
):
    class Killed(BaseException):
        pass

    settings = node()
    credentials.replace(settings, first)
    operation, count = stop
    real, left = getattr(Path, operation), [count]

    def killed(self, *arguments, **options):
        result = real(self, *arguments, **options)
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return result

    with monkeypatch.context() as patch:
        patch.setattr(Path, operation, killed)
        with suppress(Killed):
            credentials.replace(settings, second)
    credentials.finish(settings)
    assert credentials.problems(settings, settings.pki) == []
    found = {name: (settings.pki / name).read_text() for name in FILES["etcd"]}
    assert found in (first, second)
    credentials.replace(settings, second)
    assert on_disk(settings) == second
