"""The process that runs a lab's machines: `python -m lab.machines.daemon`.

It holds the controller and the services that machines ask: metadata, AWS and downloads. Their
sockets belong to the router's namespace, the process itself to the host's, so it can ask the
emulator on behalf of machines that have no way to it.
"""

import argparse
import os
import signal
import sys
from functools import cache
from pathlib import Path

from lab.cloud import aws_environment
from lab.cloud.control_client import Control
from lab.machines.account import user_data
from lab.machines.controller import Controller, say
from lab.machines.download_store import built_store, hosts
from lab.machines.firewall import METADATA
from lab.machines.fleet import Fleet
from lab.machines.frontend import tls_server as frontend
from lab.machines.frontend.application import FrontEnd
from lab.machines.frontend.lookup import AccountLookup
from lab.machines.host_limits import raise_limits
from lab.machines.lab_ca import lab_ca
from lab.machines.lab_names import Names
from lab.machines.layout import Layout
from lab.machines.load_balancer.reconciler import LoadBalancers
from lab.machines.metadata import metadata_server as metadata
from lab.machines.metadata.metadata_service import Service, Tokens
from lab.machines.network import namespaces, router
from lab.machines.network.dnsmasq import Dnsmasq
from lab.machines.nspawn_image import built_image
from lab.machines.roles import Roles
from lab.processes import identify
from lab.stack.cloud import clients_at

HOST = "127.0.0.1"


def main() -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True, help="of the AWS emulator")
    arguments = parser.parse_args()
    layout, names = Layout(arguments.state), Names.of(arguments.state)
    clients = clients_at(f"http://{HOST}:{arguments.port}")
    account = str(clients("sts").get_caller_identity()["Account"])
    region = aws_environment.REGION
    trusted = lab_ca()
    control, roles = Control(HOST, arguments.port), Roles(clients)
    router.create(names)
    raise_limits(layout.host_limits)
    dnsmasq = Dnsmasq(layout.dns, names, layout.state)
    controller = Controller(
        clients=clients,
        control=control,
        fleet=Fleet(built_image(trusted.certificate, say), layout, names, control, say),
        load_balancers=LoadBalancers(layout, names, control, say),
        dnsmasq=dnsmasq,
        roles=roles,
        names=names,
        region=region,
        downloads=hosts(),
        directory=str(layout.dns),
    )
    service = Service(
        region, account, Tokens(), lambda instance: user_data(clients, instance), roles.keys
    )
    front = FrontEnd(
        emulator=(HOST, arguments.port),
        region=region,
        account=account,
        roles=roles,
        lookup=AccountLookup(clients),
        # In the cache by now, or built when the first node asks.
        store=cache(lambda: built_store(say)),
    )
    listener = namespaces.listener(names.router, str(METADATA), 80)
    metadata.serve(listener, service, controller.find)
    for address in (router.AWS, router.DOWNLOADS):
        frontend.serve(namespaces.listener(names.router, str(address), 443), front, trusted)
    control.attach(layout.consoles)
    signal.signal(signal.SIGTERM, lambda *_: controller.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    identity = identify(os.getpid())
    if identity is None:
        return 1
    identity.save(layout.identity)
    controller.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
