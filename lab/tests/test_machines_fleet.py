"""All machines of a lab: the trouble of one is not that of the others."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from lab.lab_errors import LabError
from lab.machines.fleet import Fleet
from lab.machines.lab_names import Names
from lab.machines.layout import Layout


@pytest.fixture
def booted(monkeypatch):
    """Ids of the machines that were booted; one that is told to fail does."""
    found = []

    def boot(self, machine, instance, account):
        if instance.name == "broken":
            raise LabError("nft crashed")
        found.append(instance.id)

    monkeypatch.setattr(Fleet, "_boot", boot)
    monkeypatch.setattr(Fleet, "_look_after", lambda *_: None)
    return found


def test_a_machine_that_fails_does_not_stop_the_others(tmp_path, account, instance, booted):
    said = []
    machines = {
        name: replace(instance, id=name, name="broken" if name == "i-1" else "well")
        for name in ("i-0", "i-1", "i-2")
    }
    fleet = Fleet(
        tmp_path, Layout(tmp_path), Names.of(tmp_path), SimpleNamespace(report=None), said.append
    )
    with pytest.raises(LabError, match=r"^i-1: nft crashed$"):
        fleet.step(replace(account, instances=machines), {}, set())
    assert booted == ["i-0", "i-2"]
