"""Paths of the emulator's own endpoints, which its server and its clients must agree on.

Apart from the server, whose import of moto takes seconds.
"""

TARGETS = "/_lab/target-health"
CONTROLLER = "/_lab/controller"
INSTANCES = "/_lab/instances"
LOAD_BALANCERS = "/_lab/load-balancers"
CHANGES = "/_lab/changes"
INVENTORY = "/_lab/inventory"
CLOCK = "/_lab/clock"

PATIENCE = 10.0
"""Seconds that a request for changes waits for one."""
