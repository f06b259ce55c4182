"""The whole program on the real engine: commands of the tutorial and the runbooks, as they are
written. What they do to the cluster is in the tests of sizes and of reissued certificates."""

from lab.proofs.documented_commands import blocks, those_that_run
from lab.tests.engine.program.scenario_run import ScenarioRun
from lab.tests.engine.update_steps import completed

MOMENTS = ("", "grows", "shrinks", "reissues", "protects")


def test_every_block_that_says_so_was_run(resized: ScenarioRun) -> None:
    marked = [block for moment in MOMENTS for block in those_that_run("up", moment=moment)]
    assert list(resized["followed"]) == marked
    assert set(marked) == {block for block in blocks() if block.runs == "up"}


def test_a_look_shows_the_cluster_and_finds_nothing_to_do(resized: ScenarioRun) -> None:
    looked = resized["looked"]
    assert looked.status == 0, looked.text
    for shown in ("membersThatMayFail", "etcd-2", "api-2", "instanceId"):
        assert shown in looked.text
    assert "unchanged" in looked.text
    assert " to create" not in looked.text
    assert " to update" not in looked.text


def test_the_preview_of_a_size_shows_what_it_means(resized: ScenarioRun) -> None:
    assert "etcd: 5 members over 3 zones" in resized["grown"].text


def test_protection_is_lifted_and_restored(resized: ScenarioRun) -> None:
    protected = resized["protected"]
    assert protected.status == 0, protected.text
    updated = {type_.rpartition(":")[2] for op, type_, _ in completed(protected.steps)}
    assert "LoadBalancer" in updated
