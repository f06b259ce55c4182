"""The document as text, and the form in which EC2 takes it."""

import base64
import gzip
import hashlib
import string
from random import Random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.userdata import CloudConfig, File, UserDataTooLargeError, encode
from components.userdata.encoding import compress
from components.userdata.flags import command, flags
from components.userdata.systemd import unit


def config(*files, runcmd=()):
    return CloudConfig(hostname="etcd-0", write_files=files, runcmd=runcmd)


def random_text(size):
    return "".join(Random(1).choices(string.ascii_letters + string.digits, k=size)) + "\n"


def test_document_says_what_is_given_and_nothing_that_disturbs_a_boot():
    given = config(File("/etc/a", "one\ntwo\n", "0600"), runcmd=(("true", "it's"),))

    text = given.render()

    assert text.startswith("#cloud-config\nhostname: etcd-0\n")
    assert yaml.safe_load(text) == {
        "hostname": "etcd-0",
        "manage_etc_hosts": "localhost",
        "package_update": False,
        "package_upgrade": False,
        "ssh_pwauth": False,
        "disable_root": True,
        "write_files": [
            {
                "path": "/etc/a",
                "owner": "root:root",
                "permissions": "0600",
                "content": "one\ntwo\n",
            }
        ],
        "runcmd": [["true", "it's"]],
    }
    assert "  content: |\n    one\n    two\n" in text
    assert "permissions: '0600'" in text


def test_order_of_the_files_does_not_matter():
    a, b = File("/a", "a\n"), File("/b", "b\n")

    assert config(a, b).render() == config(b, a).render()


def test_encoded_document_is_gzip_with_fixed_header_bytes():
    given = config(File("/etc/a", "one\n"))

    raw = base64.b64decode(encode(given), validate=True)

    # Magic, deflate, no name, no time, best compression, no operating system.
    assert raw[:10] == bytes.fromhex("1f8b08000000000002ff")
    assert gzip.decompress(raw).decode() == given.render()


def test_compressed_bytes_are_those_that_they_always_were():
    """A change here replaces every machine of every cluster: say so in the changelog."""
    text = random_text(3000) + string.printable * 20

    assert hashlib.sha256(compress(text)).hexdigest() == (
        "fe45c2e383c6b2c383309f375a9f5fda2668b04f6304716a7440acad228a1cf2"
    )
    assert gzip.decompress(compress(text)).decode() == text


@given(st.text())
def test_whatever_is_compressed_comes_out_again(text):
    assert gzip.decompress(compress(text)).decode() == text


def test_user_data_over_the_limit_names_node_size_and_limit():
    given = config(File("/etc/a", random_text(30_000)))

    with pytest.raises(UserDataTooLargeError) as raised:
        encode(given)

    size = raised.value.size
    assert size > 16_384
    assert raised.value.node == "etcd-0"
    assert f"user data of etcd-0 is {size:,} bytes compressed, and EC2 accepts 16,384" in str(
        raised.value
    )


def test_limit_counts_decoded_bytes():
    encoded = encode(config(File("/etc/a", random_text(19_000))))

    assert len(encoded) > 16_384
    assert len(base64.b64decode(encoded)) <= 16_384


def test_flags_are_sorted_and_spelled_as_go_reads_them():
    given = {"b": True, "a": 1, "c": False, "d": 0.001, "e": "x=y"}

    assert flags(given) == ("--a=1", "--b=true", "--c=false", "--d=0.001", "--e=x=y")
    assert command("/bin/x", {"b": 1, "a": 2}) == "/bin/x \\\n  --a=2 \\\n  --b=1"


def test_unit_has_sections_repeated_settings_and_yes_and_no():
    file = unit(
        "x.service",
        {"Unit": {"After": "a b"}, "Service": {"A": ["1", "2"], "B": True, "C": False, "D": 0}},
    )

    assert file == File(
        "/etc/systemd/system/x.service",
        "[Unit]\nAfter=a b\n\n[Service]\nA=1\nA=2\nB=yes\nC=no\nD=0\n",
    )
