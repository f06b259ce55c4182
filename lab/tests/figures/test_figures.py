"""The figures of the documentation: what is counted, and what they do where a tool is missing."""

import itertools

import pytest

from lab.tests.figures import terraform
from lab.tests.figures.__main__ import main
from lab.tests.figures.changes import changes
from lab.tests.figures.resources import resources
from lab.tests.figures.silence import silence
from lab.tests.figures.tables import table


def test_a_table_is_markdown():
    assert table("Sizes", ("a", "b"), [(1, "x")]) == (
        "### Sizes\n\n| a | b |\n| --- | --- |\n| 1 | x |\n"
    )


def test_two_more_members_are_as_many_more_resources_at_every_size():
    rows = [line.strip("| ").split(" | ") for line in resources().splitlines()[4:]]
    counts = [[int(cell) for cell in row] for row in rows]
    assert [row[0] for row in counts] == [1, 3, 5, 7]
    assert all(row[4] == sum(row[1:4]) for row in counts)
    assert len({after[4] - before[4] for before, after in itertools.pairwise(counts)}) == 1


def test_without_terraform_there_is_a_reason(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(terraform.UnavailableError, match="terraform is not on PATH"):
        terraform.workspace(tmp_path / "work", [], {})
    assert not (tmp_path / "work").exists()


def test_an_argument_is_a_literal_whatever_it_looks_like():
    given = {
        "policy": "${aws:username} %{x}",
        "left_out": None,
        "block": [],
        "inner": [{"a": None}],
    }
    assert terraform._given(given) == {"policy": "$${aws:username} %%{x}", "inner": [{}]}


def test_a_secret_of_an_export_is_unwrapped():
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    exported = {"values": [{**secret, "plaintext": '"hidden"'}, 1]}
    assert terraform._plain(exported) == {"values": ["hidden", 1]}


def test_a_name_that_is_none_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["figures", "lease"])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert said.endswith(
        "error: no figure is called lease; there are resources, user-data, preview, resizing, "
        "leases, proxy\n"
    )


def test_without_root_silence_is_not_measured_and_says_why(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "Not measured: only root makes networks." in silence(1)


def test_without_a_tool_silence_is_not_measured_and_says_which(monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Not measured: unshare, nsenter, ip, nft, haproxy missing." in silence(1)
    assert "Not measured: haproxy missing." in changes(1)
