"""The figures of the documentation: what is counted, and what they do where a tool is missing."""

import itertools
from decimal import Decimal

import pytest

from config.prices import PRICES
from lab.tests.figures import terraform
from lab.tests.figures.__main__ import main
from lab.tests.figures.backend_changes import changes
from lab.tests.figures.cost import Item, bill, monthly
from lab.tests.figures.documents import CONTENTS, MARKED, documents, generated
from lab.tests.figures.quotas import vcpus
from lab.tests.figures.resources import resources
from lab.tests.figures.silence import silence
from lab.tests.figures.tables import table
from tests.recording import run_program


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


def test_figures_in_documents_are_current():
    for path in documents():
        text = path.read_text()
        assert generated(text) == text, f"{path} is stale: run `make reference`"


def test_every_generated_figure_is_in_a_document_and_every_marker_has_an_end():
    used = set()
    for path in documents():
        text = path.read_text()
        used |= {name for _, name, _ in MARKED.findall(text)}
        assert len(MARKED.findall(text)) == text.count("<!-- generated: ") == text.count("<!-- end")
    assert used == set(CONTENTS)


def test_a_marker_of_no_figure_is_an_error():
    with pytest.raises(KeyError, match="weather"):
        generated("<!-- generated: weather -->sunny<!-- end -->")


def test_a_stale_figure_is_replaced_in_its_sentence(monkeypatch):
    monkeypatch.setitem(CONTENTS, "prices", lambda: "3 apples\n")
    text = "There are <!-- generated: prices -->2 pears<!-- end --> here."
    assert generated(text) == text.replace("2 pears", "3 apples")


def test_api_servers_run_beside_their_successors_and_members_do_not():
    settings = {
        "etcd": {"size": 1, "instanceType": "m6i.xlarge"},
        "api": {"size": 2, "instanceType": "m6i.large"},
    }
    stack = run_program(settings, stack="figures")
    assert (vcpus(stack), vcpus(stack, doubled=True)) == (1 * 4 + 2 * 2, 2 * 2)


def test_a_bill_counts_what_a_stack_declares_and_is_none_without_a_price(monkeypatch):
    tier = {"size": 1, "instanceType": "t3.medium"}
    stack = run_program(
        {"etcd": tier, "api": {**tier, "size": 2}, "network": {"nat": "single"}, "protect": False}
    )
    items = bill(stack)
    assert items["machines"] == Item("3 x 0.0416 x 730", Decimal("91.1040"))
    assert items["NAT gateways"] == Item("1 x 0.045 x 730", Decimal("32.850"))
    assert items["interface endpoints, in each zone"] == Item("", Decimal(0))
    assert monthly(stack) == sum(item.usd for item in items.values())
    monkeypatch.delitem(PRICES, "t3.medium")
    with pytest.raises(KeyError, match=r"t3\.medium"):
        bill(stack)


def test_a_bill_counts_the_fewest_machines_of_each_pool_with_their_disks():
    small = {"instanceType": "t3.medium"}
    stack = run_program(
        {
            "etcd": {"size": 1, **small},
            "api": {"size": 1, **small},
            "protect": False,
            "workers": {
                "one": {"min": 2, "max": 9, "instanceType": "t3.medium", "diskGib": 40},
                "zones": {"min": 3, "instanceType": "t3.medium", "perZone": True},
            },
        }
    )
    items = bill(stack)
    assert items["machines"].terms == "7 x 0.0416 x 730"
    disks = items["volumes, gp3 (root, and data of members)"]
    assert disks.terms == "(2 x 20 + 2 x 40 + 3 x 30 + 1 x 20) x 0.08"


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
        "leases, proxy, replication\n"
    )


def test_without_root_silence_is_not_measured_and_says_why(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "Not measured: only root makes networks." in silence(1)


def test_without_a_tool_silence_is_not_measured_and_says_which(monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Not measured: unshare, nsenter, ip, nft, haproxy missing." in silence(1)
    assert "Not measured: haproxy missing." in changes(1)
