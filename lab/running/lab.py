"""The lab of a workspace while its machines run."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from botocore.exceptions import BotoCoreError, ClientError

from lab.cloud import emulator_server
from lab.cloud.emulator_server import Server
from lab.lab_errors import LabError
from lab.machines import daemon_process
from lab.machines.account import Account, Clients, observe
from lab.machines.lab_names import Names
from lab.machines.layout import Layout
from lab.machines.nspawn_machine import Machine
from lab.running.node_names import Node, choose, cluster_of, nodes
from lab.stack.cloud import clients
from lab.workspace import Workspace


@dataclass(frozen=True)
class RunningLab:
    """What the commands work on."""

    workspace: Workspace
    server: Server
    aws: Clients
    """Makes clients of the emulated AWS."""

    @property
    def layout(self) -> Layout:
        """Where the machines keep things."""
        return Layout(self.workspace.state)

    @cached_property
    def names(self) -> Names:
        """What the machines' network is called."""
        return Names.of(self.workspace.state)

    @cached_property
    def cluster(self) -> str | None:
        """Name of the cluster that the instances say they belong to."""
        found = self.aws("ec2").describe_tags(
            Filters=[{"Name": "resource-type", "Values": ["instance"]}]
        )
        return cluster_of(found["Tags"])

    def account(self) -> Account:
        """What the AWS API says now. Raises LabError when it does not answer."""
        try:
            return observe(self.aws)
        except (BotoCoreError, ClientError) as error:
            raise LabError(
                f"The AWS emulator does not answer ({error}); see {self.server.log}."
            ) from error

    def nodes(self, account: Account | None = None) -> Mapping[str, Node]:
        """The machines by name. Raises as `account`."""
        instances = (account or self.account()).instances.values()
        return nodes(instances, self.cluster)

    def node(self, name: str) -> Node:
        """The machine of that name. Raises LabError."""
        return choose(name, self.nodes())

    def machine(self, node: Node) -> Machine:
        """Its machine."""
        return Machine(node.instance.id, self.layout, self.names)

    def init(self, node: Node) -> int:
        """Its first process on this computer. Raises LabError when it is off."""
        init = self.machine(node).init()
        if init is None:
            raise LabError(
                f"{node.name} is off: the API says {node.instance.state}; "
                f"see `python -m lab logs {node.name}`, or "
                f"`python -m lab power-restore {node.name}` if its power was cut."
            )
        return init


def find(workspace: Workspace) -> RunningLab:
    """The lab, whose machines run. Raises LabError when it is not up, or out of reach."""
    running = emulator_server.find(workspace.state)
    if running is None:
        raise LabError("The lab is not up: start it with `make lab`.")
    if not Layout(workspace.state).base.exists():
        raise LabError(
            "The lab is up without machines: its instances are records; `make lab` boots them."
        )
    # The machines are root's, and so are their namespaces.
    if os.geteuid() != 0:
        raise LabError("The lab's machines belong to root: run this as root.")
    if daemon_process.find(workspace.state) is None:
        raise LabError(
            "The process that runs the lab's machines is gone: `make lab` starts it again, "
            f"its last words are in {Layout(workspace.state).log}."
        )
    return RunningLab(workspace, running, clients(running))
