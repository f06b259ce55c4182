"""Program scope: objects that a Pulumi program has once, however many clusters it builds."""

from collections.abc import Callable
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime import get_root_resource

T = TypeVar("T")

_OBJECTS: WeakKeyDictionary[pulumi.Resource, dict[type, Any]] = WeakKeyDictionary()
"""By the stack that the program builds, so that two runs in one process share nothing."""


def once_per_program(kind: type[T], make: Callable[[], T]) -> T:
    """The object of this kind that `make` returned when the program first asked for one.

    Resource hooks need it: their names are in state and so must be the same in every run, and the
    engine takes each name once in a program.

    RuntimeError outside of a program.
    """
    stack = get_root_resource()
    if stack is None:
        raise RuntimeError("no stack is being built: call this from a Pulumi program")
    objects = _OBJECTS.setdefault(stack, {})
    if kind not in objects:
        objects[kind] = make()
    return cast("T", objects[kind])
