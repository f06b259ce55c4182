"""The user data of a node of each tier, decoded, for people to review."""

import pytest

from tests.golden import nodes

WITH_WORKERS = nodes.settings(
    workers={
        **nodes.POOL,
        "batch": {
            "min": 0,
            "max": 9,
            "spot": True,
            "labels": {"team": "a"},
            "taints": ["batch=true:NoSchedule"],
        },
    }
)

CONFIGS = {
    "etcd-0": nodes.etcd_node(nodes.settings()),
    "api-0": nodes.api_node(nodes.settings()),
    "api-0-with-workers": nodes.api_node(WITH_WORKERS),
    "workers-general": nodes.worker_node(WITH_WORKERS),
    "workers-batch": nodes.worker_node(WITH_WORKERS, "batch", max_pods=80),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_user_data_is_what_was_reviewed(golden, name):
    golden(f"userdata/{name}.yaml", nodes.reviewed(CONFIGS[name]))
