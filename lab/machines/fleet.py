"""All machines of a lab: takes the steps that bring them to what the API says."""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.cloud.control_client import Control
from lab.lab_errors import LabError
from lab.machines import firewall, volume_files
from lab.machines.account import Account, Instance
from lab.machines.decide import Seen, Step, decide
from lab.machines.lab_names import Names
from lab.machines.layout import Layout
from lab.machines.network import namespaces, router
from lab.machines.network.dnsmasq import host_name
from lab.machines.network.faults import Faults, apply_faults
from lab.machines.nspawn_machine import Machine

PATIENCE = 300.0
"""Seconds that a machine gets to shut down before its power is cut; AWS waits a few minutes."""

AGAIN = 10.0
"""Seconds after which it is asked again: an init that has just begun takes no orders yet."""


@dataclass
class _Memory:
    """What is known of a machine besides what can be seen."""

    reboots: int = 0
    """How many reboots it was given."""
    asked: float | None = None
    """When it was first asked to shut down."""
    asked_again: float = 0.0
    shown: frozenset[str] = frozenset()
    """Volumes in it."""
    rules: str = ""
    """The firewall that is loaded."""
    reachable: bool | None = None
    processor: int | None = None
    """Where it runs."""


class Fleet:
    """The machines, driven by `step`."""

    def __init__(
        self,
        image: Path,
        layout: Layout,
        names: Names,
        control: Control,
        say: Callable[[str], None],
    ) -> None:
        self._image, self._layout, self._names = image, layout, names
        self._control, self._say = control, say
        self._memory: dict[str, _Memory] = {}

    def step(self, account: Account, reboots: dict[str, int], leased: set[str]) -> None:
        """Take the next step of every machine. Raises LabError when some could not, after all
        others."""
        base = self._layout.base / "instances"
        there = {path.name for path in base.iterdir()} if base.is_dir() else set()
        failures = []
        for instance_id in sorted(there | set(account.instances)):
            instance = account.instances.get(instance_id)
            try:
                self._step_one(instance_id, instance, account, reboots.get(instance_id, 0))
                if instance is not None:
                    self._look_after(instance, account, leased)
            except (LabError, OSError) as error:
                failures.append(f"{instance_id}: {error}")
        self._remove_volumes(account)
        if failures:
            raise LabError("; ".join(failures))

    def _step_one(
        self, instance_id: str, instance: Instance | None, account: Account, reboots: int
    ) -> None:
        machine = Machine(instance_id, self._layout, self._names)
        memory = self._memory.setdefault(instance_id, _Memory(reboots=reboots))
        state = instance.state if instance else None
        step = decide(state, self._seen(machine), reboot=reboots > memory.reboots)
        if step is not Step.NOTHING and step is not Step.SHUT_DOWN:
            self._say(f"{_called(instance) if instance else instance_id}: {step.name.lower()}")
        if step is Step.BOOT and instance:
            self._boot(machine, instance, account)
            memory = self._memory[instance_id]
            memory.reboots = reboots
        elif step is Step.REBOOT:
            memory.reboots = reboots
            machine.reboot()
        elif step is Step.SHUT_DOWN:
            self._shut_down(machine, memory)
        elif step is Step.KILL:
            machine.kill()
        elif step is Step.SAY_RUNNING:
            self._control.report(instance_id, "running")
        elif step is not Step.NOTHING:
            self._put_away(machine, step)

    def _put_away(self, machine: Machine, step: Step) -> None:
        """What remains to do with a machine that is down."""
        self._release(machine)
        if step in {Step.SAY_TERMINATED, Step.REMOVE}:
            machine.remove()
        if step is Step.SAY_STOPPED:
            self._control.report(machine.instance, "stopped")
        elif step is Step.SAY_TERMINATED:
            self._control.report(machine.instance, "terminated")
        elif step is Step.REMOVE:
            self._memory.pop(machine.instance, None)

    def _seen(self, machine: Machine) -> Seen:
        return Seen(
            exists=machine.exists(),
            runs=machine.running() is not None,
            plugged=machine.root.is_mount(),
            code=machine.ended(),
            power_cut=machine.power_cut.exists(),
        )

    def _boot(self, machine: Machine, instance: Instance, account: Account) -> None:
        self._memory[instance.id] = _Memory()
        if instance.pool is None:
            router.plug(self._names, instance)
        else:
            # What its containers made of the network must not outlive them, as on a machine that
            # boots.
            router.unplug(self._names, instance)
            router.plug(self._names, instance)
            router.answer_for_pods(self._names, instance)
        # A machine that is isolated, or without peers, stays so when it gets a new cable.
        faults = Faults.load(self._layout.faults)
        if instance.id in {*faults.isolated, *faults.peerless}:
            links = router.links(self._names)
            apply_faults(self._names, faults, account.subnets.values(), links)
        self._protect(instance, account)
        disks = {
            volume: volume_files.attach(self._layout.volumes, volume, account.volumes[volume])
            for volume in instance.volumes
        }
        memory, processor = self._memory[instance.id], self._free_processor()
        machine.boot(self._image, instance, disks, processor)
        memory.shown, memory.processor = frozenset(disks), processor

    def _free_processor(self) -> int:
        """The processor for one more machine: the one that has the fewest.

        Daemons that share all processors wake them for each other all the time: with one for each
        machine, an idle lab of eight takes a sixth less of a computer that has two.
        """
        busy = Counter(one.processor for one in self._memory.values())
        return min(sorted(os.sched_getaffinity(0)), key=lambda number: busy[number])

    def _protect(self, instance: Instance, account: Account) -> None:
        vpc = account.vpcs[instance.subnet.vpc]
        uplink = None
        if instance.pool is not None:
            uplink = firewall.Uplink("ens5", instance.address, instance.prefixes)
        rules = firewall.ruleset(instance.groups, account.groups, account.interfaces, vpc, uplink)
        memory = self._memory[instance.id]
        if rules != memory.rules:
            namespaces.load_rules(self._names.machine(instance.id), rules, self._image)
            memory.rules = rules

    def _look_after(self, instance: Instance, account: Account, leased: set[str]) -> None:
        """Keep disks and firewall of a running machine as the API says."""
        machine = Machine(instance.id, self._layout, self._names)
        if instance.state not in {"pending", "running"} or machine.init() is None:
            return
        memory = self._memory[instance.id]
        self._protect(instance, account)
        for volume in sorted(set(instance.volumes) - memory.shown):
            device = volume_files.attach(self._layout.volumes, volume, account.volumes[volume])
            machine.show(volume, device)
        for volume in sorted(memory.shown - set(instance.volumes)):
            machine.hide(volume)
            volume_files.detach(self._layout.volumes, volume)
        memory.shown = frozenset(instance.volumes)
        if memory.reachable is None and instance.mac in leased:
            memory.reachable = True
            self._control.report(instance.id, None, reachable=True)

    def _shut_down(self, machine: Machine, memory: _Memory) -> None:
        now = time.monotonic()
        if memory.asked is None:
            self._say(f"{machine.instance}: shutting down")
            memory.asked = now
        elif now - memory.asked > PATIENCE:
            self._say(f"{machine.instance}: did not shut down in {PATIENCE:.0f} s: power cut")
            machine.kill()
            return
        if now - memory.asked_again > AGAIN:
            memory.asked_again = now
            machine.power_off()

    def _release(self, machine: Machine) -> None:
        memory = self._memory.get(machine.instance, _Memory())
        machine.release()
        namespaces.delete(self._names.machine(machine.instance))
        for volume in memory.shown:
            volume_files.detach(self._layout.volumes, volume)
        self._memory[machine.instance] = _Memory(reboots=memory.reboots)

    def _remove_volumes(self, account: Account) -> None:
        for image in self._layout.volumes.glob("*.img"):
            if image.stem not in account.volumes:
                volume_files.delete(self._layout.volumes, image.stem)


def _called(instance: Instance) -> str:
    """What people call an instance; those of a pool share their tag."""
    if instance.pool is None:
        return instance.name
    return f"{instance.name} {host_name(instance.address)}"
