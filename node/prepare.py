"""`prepare`: bring onto this machine everything that its daemons need to start."""

from collections.abc import Callable

from node import credentials, download, files, operations
from node.api.lease import hostname
from node.aws import ParameterStore
from node.contract import NODE_ENV
from node.errors import NodeError
from node.etcd import disk
from node.machine import Machine
from node.metadata import metadata
from node.settings import Settings, at


def run(settings: Settings, machine: Machine) -> str:
    """Do it; what was done. NodeError when something needed is neither here nor to be had."""
    credentials.finish(settings)
    done = [
        *or_use_local(
            lambda: fetch_files(settings), lambda: credentials.problems(settings, settings.pki)
        ),
        *or_use_local(
            lambda: write_address(settings, machine),
            lambda: [] if at(NODE_ENV).exists() else [f"no {NODE_ENV}"],
        ),
    ]
    for artifact in settings.artifacts:
        # Asked only when there is something to download: a reboot needs no AWS.
        done += download.install(artifact, lambda url: operations.current(settings).source(url))
    if settings.etcd:
        # Last: the volume is attached while the rest is under way.
        done += disk.prepare(settings.etcd, machine)
    return "; ".join(done) or "everything was in place"


def fetch_files(settings: Settings) -> list[str]:
    """Bring this node's certificates and keys up to date.

    NodeError when AWS has no set that will do.
    """
    store = ParameterStore(settings.region)
    changed = credentials.replace(settings, store.files(settings.parameters["files"]))
    return [f"wrote {', '.join(changed)}"] if changed else []


def write_address(settings: Settings, machine: Machine) -> list[str]:
    """Write this machine's address, for units, and call the machine by a name of its own.

    NodeError without the metadata service.
    """
    address = metadata("local-ipv4")
    if settings.tier == "api":
        # Before the address: with that on disk, it counts as done.
        machine.rename(hostname(settings.name, address))
    return [f"address {address}"] if files.write(at(NODE_ENV), f"NODE_ADDRESS={address}\n") else []


def or_use_local(fetch: Callable[[], list[str]], lacking: Callable[[], list[str]]) -> list[str]:
    """What fetching did; when it cannot, that what is on disk will do: a reboot needs no AWS, and
    no room on the disk.

    NodeError when that will not do.
    """
    try:
        return fetch()
    except (NodeError, OSError) as error:
        if problems := lacking():
            raise NodeError(f"{error}; and on disk {', '.join(problems)}") from error
        return [f"kept what is on disk: {error}"]
