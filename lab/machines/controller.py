"""Controller that follows the account with its network, its names, its machines."""

import sys
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Address

from botocore.exceptions import BotoCoreError, ClientError

from lab.cloud.control_client import Control
from lab.lab_errors import LabError
from lab.machines.account import Account, Clients, Instance, observe
from lab.machines.fleet import Fleet
from lab.machines.lab_names import Names, bridge
from lab.machines.load_balancer.elb_api import observe as observe_load_balancers
from lab.machines.load_balancer.reconciler import LoadBalancers
from lab.machines.network import dnsmasq, router
from lab.machines.network.dnsmasq import Dnsmasq
from lab.machines.roles import Roles

TICK = 0.5
"""Seconds between two looks at the machines' processes and the load balancers' servers."""
PAUSE = 1.0
"""Seconds before the next attempt after a failure."""

EMPTY = Account({}, {}, {}, (), {}, {})


class Controller:
    """Runs until `stop`; whatever fails is logged and tried again."""

    def __init__(
        self,
        *,
        clients: Clients,
        control: Control,
        fleet: Fleet,
        load_balancers: LoadBalancers,
        dnsmasq: Dnsmasq,
        roles: Roles,
        names: Names,
        region: str,
        downloads: set[str],
        directory: str,
    ) -> None:
        self._clients, self._control, self._fleet = clients, control, fleet
        self._load_balancers = load_balancers
        self._dnsmasq, self._roles, self._names = dnsmasq, roles, names
        self._region, self._downloads, self._directory = region, downloads, directory
        self._account = EMPTY
        self._by_address: Mapping[str, Instance] = {}
        self._reboots: dict[str, int] = {}
        self._changed = threading.Event()
        self._stopped = threading.Event()

    def find(self, address: str) -> Instance | None:
        """The instance that has an address now: its own, or one of a prefix of it."""
        return self._by_address.get(address) or owner(address, self._account.instances.values())

    def run(self) -> None:
        """Follow the account until `stop`."""
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        self._changed.set()
        while not self._stopped.is_set():
            try:
                self._turn()
            except (LabError, OSError, BotoCoreError, ClientError, KeyError) as error:
                say(f"{error}: trying again")
                # What was done half is looked at as a whole.
                self._changed.set()
                self._stopped.wait(PAUSE)
            self._stopped.wait(TICK)

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()

    def _watch(self) -> None:
        seen = 0
        while not self._stopped.is_set():
            try:
                change = self._control.change(seen)
            except (LabError, OSError):
                time.sleep(PAUSE)
                continue
            if change != seen:
                seen = change
                self._changed.set()

    def _turn(self) -> None:
        if self._changed.is_set():
            self._changed.clear()
            self._roles.forget()
            self._account = observe(self._clients)
            self._reboots = self._control.reboots()
            self._by_address = {str(i.address): i for i in self._account.instances.values()}
            self._network()
            self._load_balancers.want(
                observe_load_balancers(self._clients, self._account), self._account
            )
        self._names_and_addresses()
        self._fleet.step(self._account, self._reboots, self._dnsmasq.leased())
        self._load_balancers.step()

    def _network(self) -> None:
        account = self._account
        wanted = {bridge(subnet.id): subnet for subnet in account.subnets.values()}
        there = {link for link in router.links(self._names) if link.startswith("s-")}
        for link in there - wanted.keys():
            router.remove_subnet(self._names, link)
        for vpc in account.vpcs.values():
            router.add_resolver(self._names, vpc[2])
        for link in wanted.keys() - there:
            router.add_subnet(self._names, wanted[link])
        instances = account.instances.values()
        router.set_routes(
            self._names, {prefix: one.address for one in instances for prefix in one.prefixes}
        )

    def _names_and_addresses(self) -> None:
        """By DNS and DHCP; dnsmasq is told what is new to it."""
        account = self._account
        if account.subnets:
            instances = account.instances.values()
            self._dnsmasq.update(
                dnsmasq.configuration(account, self._region, self._downloads, self._directory),
                dnsmasq.hosts(instances, self._region, self._load_balancers.addresses()),
                dnsmasq.dhcp_hosts(instances),
            )


def owner(address: str, instances: Iterable[Instance]) -> Instance | None:
    """The instance that an address of a prefix belongs to. Pure."""
    asked = IPv4Address(address)
    return next((one for one in instances if any(asked in own for own in one.prefixes)), None)


def say(text: str) -> None:
    """A line in the daemon's log."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    print(f"{now} {text}", file=sys.stderr, flush=True)
