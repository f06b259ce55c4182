"""The whole program on the real engine: a new epoch of the PKI."""

from lab.tests.engine.program.scenario_run import ScenarioRun
from lab.tests.engine.update_steps import completed


def test_a_new_epoch_reissues_every_leaf_and_touches_no_authority(resized: ScenarioRun) -> None:
    steps = completed(resized["reissued"].steps)
    state = resized["reissued"].state
    leaves = {r["urn"].split("::", 3)[3] for r in state if r["type"].endswith(":LocallySignedCert")}
    assert len(leaves) == sum(r["type"].endswith(":LeafCertificate") for r in state) > 0
    reissued = {
        (type_.rpartition(":")[2], name)
        for op, type_, name in steps
        if op == "create-replacement" and type_.startswith("tls:")
    }
    kinds = ("PrivateKey", "CertRequest", "LocallySignedCert")
    assert reissued == {(kind, name) for kind in kinds for name in leaves}


def test_a_new_epoch_changes_parameters_and_no_other_resource_of_aws(resized: ScenarioRun) -> None:
    steps = completed(resized["reissued"].steps)
    of_aws = {(op, type_) for op, type_, _ in steps if type_.startswith("aws:")}
    assert of_aws == {("update", "aws:ssm/parameter:Parameter")}
    before, after = resized["shrunk"].account, resized["reissued"].account
    assert (before.machines, before.volumes, before.user_data) == (
        after.machines,
        after.volumes,
        after.user_data,
    )
    assert before.inventory == after.inventory


def test_a_new_epoch_reaches_every_leaf_on_every_node(resized: ScenarioRun) -> None:
    before, after = resized["shrunk"].account.parameters, resized["reissued"].account.parameters
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    unchanged = {name.rpartition("/")[2] for name in before.keys() - changed}
    # Workers have no leaf of Pulumi's: they ask the control plane for their certificates.
    authorities = {"ca.crt", "ca.key", "etcd-ca.crt", "front-proxy-ca.crt", "ca", "join-token"}
    others = {"sa.key", "sa.pub", "encryption.yaml", "status", "members", "formation", "operations"}
    recorded = {"cluster", *(n.rpartition("/")[2] for n in before if "/record/" in n)}
    assert unchanged == authorities | others | recorded
