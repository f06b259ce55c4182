"""`build`: whatever is built once and kept in the cache, before anything waits for it."""

import argparse
import os

from lab.binaries.apiload import built_apiload
from lab.binaries.cni_plugins import built_cni_plugins
from lab.binaries.containerd import built_containerd
from lab.binaries.coredns import built_coredns
from lab.binaries.etcd_build import built_etcd
from lab.binaries.kubernetes import built_kubernetes
from lab.binaries.pause import built_pause
from lab.binaries.runc import built_runc
from lab.commands.command import Command
from lab.engine.cli.pulumi_cli import built_cli
from lab.engine.fetching import fetched_cli
from lab.engine.official import official_cli
from lab.lab_errors import LabError
from lab.machines import requirements
from lab.machines.lab_ca import lab_ca
from lab.machines.nspawn_image import built_image
from lab.workspace import Workspace

BINARIES = {
    "apiload": built_apiload,
    "cni-plugins": built_cni_plugins,
    "containerd": built_containerd,
    "coredns": built_coredns,
    "etcd": built_etcd,
    "kubernetes": built_kubernetes,
    "pause": built_pause,
    "runc": built_runc,
}
WORKERS = (built_containerd, built_runc, built_cni_plugins, built_coredns, built_pause)
"""What only machines of workers need."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to build."""
    parser.add_argument(
        "--only", choices=BINARIES, help="these binaries alone; the last line is their directory"
    )


def run(arguments: argparse.Namespace, _workspace: Workspace) -> int:
    """Build one after the other, what is waited for first; the image where machines can run.

    Raises EngineError, and LabError when the image cannot be built.
    """
    if arguments.only:
        print(BINARIES[arguments.only](print))
        return 0
    if official_cli() is None and fetched_cli(print) is None:
        built_cli(print)
    built_etcd(print)
    # The rest is needed last and takes longest: tests that run meanwhile come first.
    os.nice(10)
    built_kubernetes(print)
    # It finds most of its packages compiled.
    built_apiload(print)
    try:
        requirements.require()
    except LabError as error:
        print(f"no machine image: {error}")
    else:
        for built in WORKERS:
            built(print)
        built_image(lab_ca().certificate, print)
    return 0


BUILD = Command(add_arguments, run)
