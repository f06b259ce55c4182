"""Proof 3: faults at random under load, of at most as many members as may fail, then of more."""

import random
import time

import pytest

from lab.proofs.faults_under_load import Inflict, kill
from lab.proofs.lab_session import LabSession
from lab.proofs.load_session import under_load
from lab.proofs.polling import until
from lab.running import fault_injection
from lab.running.node_names import Node

pytestmark = pytest.mark.usefixtures("whole")

LASTS = (1.0, 15.0)
"""Seconds of a fault: less than an election, or more than the load balancer's detection."""
BETWEEN = (0.0, 3.0)
"""Seconds of rest between two faults: the next one may come while the last one is still felt."""


FAULTS: dict[str, tuple[tuple[str, Inflict], ...]] = {
    "etcd": (
        ("loses its power", lambda s, node: fault_injection.power_cut(s.lab, node)),
        ("is isolated", lambda s, node: fault_injection.isolate(s.lab, node)),
        ("loses its peers", lambda s, node: fault_injection.isolate_from_peers(s.lab, node)),
        ("is killed", kill("etcd")),
    ),
    "api": (
        ("loses its power", lambda s, node: fault_injection.power_cut(s.lab, node)),
        ("is isolated", lambda s, node: fault_injection.isolate(s.lab, node)),
        ("has its API server killed", kill("kube-apiserver")),
        ("has its proxy to etcd killed", kill("etcd-proxy")),
    ),
}
"""What may become of a machine, by its tier."""


@pytest.fixture
def chance(pytestconfig: pytest.Config) -> random.Random:
    """The dice; the seed is printed, and can be given."""
    seed = pytestconfig.getoption("--seed")
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    print(f"random faults: --seed {seed}")
    return random.Random(seed)  # noqa: S311 - no secret


@pytest.mark.parametrize("more", [False, True], ids=["a-minority", "more"])
def test_nothing_is_lost_under_random_faults(
    session: LabSession, pytestconfig: pytest.Config, chance: random.Random, *, more: bool
) -> None:
    lasts = pytestconfig.getoption("--random-seconds") / 2
    with under_load(session, "random-more" if more else "random"):
        give_up = time.monotonic() + lasts
        while time.monotonic() < give_up:
            for node, what, inflict in _drawn(session, chance, more=more):
                print(f"{node.name} {what}")
                inflict(session, node)
            time.sleep(chance.uniform(*LASTS))
            fault_injection.heal(session.lab)
            until("the cluster is ready", session.ready)
            time.sleep(chance.uniform(*BETWEEN))


def _drawn(
    session: LabSession, chance: random.Random, *, more: bool
) -> list[tuple[Node, str, Inflict]]:
    """Machines and what becomes of them: of each tier a minority, or any number."""
    chosen = []
    for tier in FAULTS:
        nodes = session.nodes(tier)
        most = len(nodes) if more else (len(nodes) - 1) // 2
        chosen += [(tier, node) for node in chance.sample(nodes, chance.randint(0, most))]
    return [(node, *chance.choice(FAULTS[tier])) for tier, node in chosen]
