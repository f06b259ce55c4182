"""The user data of a node of each tier, decoded, for people to review."""

import pytest

from tests.golden import nodes


@pytest.mark.parametrize("tier", ["etcd", "api"])
def test_user_data_is_what_was_reviewed(golden, tier):
    etcd, api = nodes.both(nodes.settings())
    config = {"etcd": etcd, "api": api}[tier]

    golden(f"userdata/{config.hostname}.yaml", nodes.reviewed(config))
