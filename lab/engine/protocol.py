"""Pulumi's protocol messages without Pulumi's SDK.

Importing `pulumi.runtime.proto` the usual way imports the whole SDK first, which costs every
plugin host about 0.8 s at each start. A host needs the messages only, so it enters the SDK's
packages by bare modules that carry no more than a search path. Never to be used in a process
that runs a program.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def import_messages_only() -> None:
    """Make `pulumi.runtime.proto` importable without running the SDK's `__init__` modules.

    Raises ModuleNotFoundError without the SDK.
    """
    if "pulumi" in sys.modules:
        return
    spec = importlib.util.find_spec("pulumi")
    if spec is None or spec.origin is None:
        message = "the package pulumi is not installed in this environment"
        raise ModuleNotFoundError(message)
    root = Path(spec.origin).parent
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        module = ModuleType(name)
        module.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = module
