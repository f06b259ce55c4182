"""All load balancers of a lab: takes the steps that bring them to what the API says, and tells the
API how the targets are."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import IPv4Address

from lab.cloud.control_client import Control
from lab.machines import firewall
from lab.machines.account import Account
from lab.machines.lab_names import Names
from lab.machines.layout import Layout
from lab.machines.load_balancer import haproxy_format, node_views, target_steps
from lab.machines.load_balancer.haproxy_process import HAProxy
from lab.machines.load_balancer.nlb import LoadBalancer, Node, TargetGroup
from lab.machines.load_balancer.node_views import View
from lab.machines.network.faults import Faults

QUIET = {"", "New server registered.", "Server deleted."}
"""What HAProxy says when it did as it was told."""


class LoadBalancers:
    """Driven by `want` and `step`; `step` raises LabError and OSError, and goes on where it
    was."""

    def __init__(
        self, layout: Layout, names: Names, control: Control, say: Callable[[str], None]
    ) -> None:
        self._layout, self._names = layout, names
        self._control, self._say = control, say
        self._wanted: tuple[LoadBalancer, ...] = ()
        self._account: Account | None = None
        self._processes: dict[str, HAProxy] = {}
        self._views: dict[str, View] = {}
        self._draining: dict[tuple[str, str], float] = {}
        self._said_of: dict[tuple[str, str], str] = {}
        self._told: dict[tuple[str, str], str] = {}
        self._serving: set[str] = set()
        self._said: set[str] = set()

    def want(self, wanted: tuple[LoadBalancer, ...], account: Account) -> None:
        """Have `step` bring about these load balancers, and no other."""
        self._wanted, self._account = wanted, account
        self._serving &= {load_balancer.arn for load_balancer in wanted}
        # The API forgets what it was told of a target that is registered again.
        self._told = {}

    def step(self) -> None:
        """Look at every node, and take the next step of each."""
        now = time.monotonic()
        if self._account is None:
            return
        self._remove_others()
        self._follow_draining(now)
        for load_balancer in self._wanted:
            for line in load_balancer.differences:
                self._say_once(f"{load_balancer.name}: {line}")
            for node in load_balancer.nodes:
                self._views[node.id] = self._node(load_balancer, node, self._account, now)
            for group in load_balancer.targets.values():
                self._tell(load_balancer, group, now)
            if load_balancer.nodes and load_balancer.arn not in self._serving:
                self._control.serves(load_balancer.arn)
                self._serving.add(load_balancer.arn)

    def addresses(self) -> Mapping[str, tuple[IPv4Address, ...]]:
        """The addresses that each load balancer's name has now."""
        faults = Faults.load(self._layout.faults)
        return {
            load_balancer.dns_name: node_views.addresses(load_balancer, self._views, faults.zones)
            for load_balancer in self._wanted
        }

    def _process(self, node: str) -> HAProxy:
        directory = self._layout.load_balancers
        process = HAProxy(node, directory, self._names, self._layout.state)
        return self._processes.setdefault(node, process)

    def _node(self, load_balancer: LoadBalancer, node: Node, account: Account, now: float) -> View:
        process = self._process(node.id)
        rules = None
        if load_balancer.groups:
            vpc = account.vpcs[load_balancer.vpc]
            rules = firewall.ruleset(load_balancer.groups, account.groups, account.interfaces, vpc)
        process.connect(node, rules)
        process.configure(partial(haproxy_format.render, load_balancer, node))
        found = haproxy_format.servers(process.ask(haproxy_format.SHOW))
        view: dict[str, Mapping[str, str]] = {}
        for name, group in load_balancer.targets.items():
            drained = {
                target.name: now - self._draining[name, target.name] for target in group.draining
            }
            for command in target_steps.commands(group, node, found, drained):
                answer = process.ask(command)
                if answer not in QUIET:
                    self._say_once(
                        f"{load_balancer.name} in {node.subnet.zone}: {command}: {answer}"
                    )
            view[name] = target_steps.states(group, node, found)
        return view

    def _remove_others(self) -> None:
        there = {node.id for load_balancer in self._wanted for node in load_balancer.nodes}
        base = self._layout.load_balancers
        known = {path.name for path in base.iterdir()} if base.is_dir() else set()
        for gone in sorted(known - there):
            self._process(gone).remove()
            self._processes.pop(gone, None)
            self._views.pop(gone, None)

    def _follow_draining(self, now: float) -> None:
        draining = {
            (group.name, target.name)
            for load_balancer in self._wanted
            for group in load_balancer.targets.values()
            for target in group.draining
        }
        self._draining = {key: self._draining.get(key, now) for key in draining}

    def _tell(self, load_balancer: LoadBalancer, group: TargetGroup, now: float) -> None:
        said = node_views.target_states(
            group, [self._views[node.id] for node in load_balancer.nodes]
        )
        for target in group.targets:
            self._tell_one(group, target.id, target.name, said[target.name])
        for target in group.draining:
            if now - self._draining[group.name, target.name] >= group.delay:
                # The API lists it no more.
                self._tell_one(group, target.id, target.name, "unused")

    def _tell_one(self, group: TargetGroup, target: str, name: str, state: str) -> None:
        key = group.name, name
        if self._told.get(key) != state:
            self._control.target(group.name, target, state)
            self._told[key] = state
        if self._said_of.get(key) != state:
            self._say(f"{group.name}: {name} is {state}")
            self._said_of[key] = state

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._say(text)
