"""Every disk carries the tags of the stack, also those that EC2 makes with a machine."""

from lab.tests.engine.program.scenario_run import ScenarioRun


def test_root_and_data_volumes_follow_the_stacks_tags(permitted: ScenarioRun) -> None:
    found = {}
    for volume in permitted["volumes"]:
        tags = {tag["Key"]: tag["Value"] for tag in volume["Tags"]}
        found[tags.pop("Name")] = tags
    nodes = [*(f"local-etcd-{n}" for n in range(3)), *(f"local-api-{n}" for n in range(2))]
    nodes.append("local-workers-general")
    assert set(found) == {
        *(f"{node}-root" for node in nodes),
        *(f"{node}-data" for node in nodes if "etcd" in node),
    }
    pool = {"ha-kubernetes:cluster": "local", "ha-kubernetes:pool": "general"}
    for name, tags in found.items():
        more = pool if "workers" in name else {}
        assert tags == {"kubernetes.io/cluster/local": "owned", "team": "platform", **more}
