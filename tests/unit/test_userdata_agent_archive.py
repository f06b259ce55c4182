"""Archive of the node agent: the same bytes wherever it is made, and nothing but the agent."""

import hashlib
import io
import os
import time
import zipfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from components.userdata.agent_archive import AgentArchive, agent_archive, zip_archive

ROOT = Path(__file__).parents[2]

MODULES = {"node/b.py": "B = 'ü'\n", "node/a/__init__.py": "", "node/a/c.py": "# why\nC = 1\n"}


def entries(content):
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        return {entry.filename: (entry, opened.read(entry)) for entry in opened.infolist()}


def test_it_holds_every_module_as_it_is_written():
    sources = {str(path.relative_to(ROOT)): path for path in ROOT.glob("node/**/*.py")}

    found = entries(agent_archive().content)

    assert {"node/__main__.py", "node/etcd/reconcile_member.py", "node/api/proxy.py"} <= set(found)
    assert {name: content for name, (_, content) in found.items()} == {
        name: path.read_bytes() for name, path in sources.items()
    }


def test_bytes_are_those_that_they_always_were():
    """A change here replaces every machine of every cluster: say so in the changelog."""
    assert hashlib.sha256(zip_archive(MODULES)).hexdigest() == (
        "1bb052c01eef4043523d5d6cf1226b8a55a5431554ee8ab51afb35ed65fc1f59"
    )


def test_neither_order_nor_clock_nor_umask_nor_zone_matter(monkeypatch):
    expected = zip_archive(MODULES)
    mask = os.umask(0o077)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    monkeypatch.setattr("sys.platform", "win32")
    try:
        again = zip_archive(dict(reversed(MODULES.items())))
    finally:
        os.umask(mask)
        monkeypatch.undo()
        time.tzset()

    assert again == expected


def test_entries_are_plain_files_of_no_time_in_order_and_not_compressed():
    found = entries(zip_archive(MODULES))

    assert list(found) == sorted(MODULES)
    for entry, _ in found.values():
        assert entry.compress_type == zipfile.ZIP_STORED
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        assert entry.external_attr >> 16 == 0o100644
        assert entry.create_system == 3
        assert (entry.extra, entry.comment) == (b"", b"")


@given(
    st.dictionaries(st.from_regex(r"node/([a-z]{1,5}/)?[a-z]{1,5}\.py", fullmatch=True), st.text())
)
def test_texts_come_out_as_they_went_in(modules):
    found = entries(zip_archive(modules))

    assert {name: content.decode() for name, (_, content) in found.items()} == modules


def test_a_version_is_its_checksum():
    one, other = (
        AgentArchive(zip_archive(MODULES)),
        AgentArchive(zip_archive({**MODULES, "node/b.py": "B = 2\n"})),
    )

    assert one.sha256 == hashlib.sha256(one.content).hexdigest()
    assert one.key == f"agent/{one.sha256}.zip"
    assert one.key != other.key
