"""`eviction`: how long pods of a worker that died wait until others take their place."""

from datetime import timedelta
from typing import Annotated

from config.change import ROLLS_API
from config.types import Duration, Settings, bounded


class EvictionSettings(Settings):
    """`eviction`: how long pods of a worker that died wait until others take their place."""

    # A kubelet renews its lease every 10 s (a quarter of its 40 s): below 15 s one renewal that is
    # late would be a death. Both become whole seconds in flags.
    node_monitor_grace: Annotated[
        Duration, bounded("15s", "10m", whole_seconds=True), ROLLS_API
    ] = timedelta(seconds=40)
    """How long a worker may be silent before it counts as dead, its pods leave their Services and
    `toleration` begins; whole seconds, 15s to 10m."""
    toleration: Annotated[Duration, bounded("1s", "1h", whole_seconds=True), ROLLS_API] = timedelta(
        seconds=60
    )
    """How long pods then stay bound to it before they are evicted and replaced elsewhere, unless
    they tolerate it for another time themselves; whole seconds, 1s to 1h."""
