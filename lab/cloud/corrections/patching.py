"""Decorators with which the corrections replace and extend what moto defines."""

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any

from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, EC2_RESOURCE_TO_PREFIX

Method = Callable[..., Any]

LAUNCH_LOCK = threading.RLock()
"""Held while instances and interfaces are made: moto answers requests in threads and locks nothing,
so two requests for one address could both be granted."""


def replaces(owner: type, name: str) -> Callable[[Method], Method]:
    """Put the decorated function in the place of the method `name` of `owner`."""

    def install(method: Method) -> Method:
        setattr(owner, name, method)
        return method

    return install


def extends(owner: type, name: str) -> Callable[[Method], Method]:
    """Put the decorated function in the place of a method; its first argument is the method that
    was there."""

    def install(method: Method) -> Method:
        original = getattr(owner, name)

        @functools.wraps(original)
        def extended(*args: object, **kwargs: object) -> object:
            return method(original, *args, **kwargs)

        setattr(owner, name, extended)
        return method

    return install


def given(original: Method, *args: object, **kwargs: object) -> dict[str, Any]:
    """The arguments of a call by name, defaults included, however they were handed over."""
    signature = inspect.signature(original)
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    arguments = dict(bound.arguments)
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            arguments |= arguments.pop(name)
    return arguments


def taggable(resource: str, prefix: str) -> None:
    """Let CreateTags take the ids of a resource that moto does not have."""
    EC2_RESOURCE_TO_PREFIX[resource] = prefix
    EC2_PREFIX_TO_RESOURCE[prefix] = resource
