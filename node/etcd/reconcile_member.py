"""Reconciliation of an etcd node: observe, decide, act, and again while a change is under way."""

import time

from node.etcd import act, disk, leader, local_member, member_plan, member_state
from node.machine import Machine
from node.settings import EtcdSettings, Settings

SECONDS = 60
"""That one run goes on while the membership changes; the next one comes half a minute later."""
PAUSE = 2
"""Seconds between two looks."""


def run(settings: Settings, etcd: EtcdSettings, machine: Machine) -> str:
    """Take steps until there is nothing to do or to wait for; what they were; raises as `step`."""
    give_up = time.monotonic() + SECONDS
    said = disk.grow(etcd, machine)
    while True:
        text, soon = step(settings, etcd, machine)
        if text not in said:
            said.append(text)
        if not soon or time.monotonic() > give_up:
            return "; ".join(said)
        time.sleep(PAUSE)


def step(settings: Settings, etcd: EtcdSettings, machine: Machine) -> tuple[str, bool]:
    """Take the one next step; what it was, and whether to look again soon.

    NodeError and OSError say why it could not be taken.
    """
    state = member_state.observe(settings, etcd, machine)
    decision = member_plan.decide(state)
    if isinstance(decision, member_plan.Wait) and state.desired and state.entries:
        if state.echo and local_member.leading(settings, etcd) and (done := act.restate(settings)):
            return done, True
        changed = leader.step(settings, etcd, state.desired)
        if changed:
            return changed
    return act.take(settings, etcd, machine, decision)
