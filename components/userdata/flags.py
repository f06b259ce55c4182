"""Command-line flags from mappings."""

from collections.abc import Mapping


def flags(values: Mapping[str, str | int | float | bool]) -> tuple[str, ...]:
    """`--flag=value`, sorted by flag, so that the order of a mapping changes no byte."""
    return tuple(f"--{flag}={_value(value)}" for flag, value in sorted(values.items()))


def command(program: str, values: Mapping[str, str | int | float | bool]) -> str:
    """A program and its flags, one a line, as an `Exec` setting of systemd takes them."""
    return " \\\n  ".join((program, *flags(values)))


def _value(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
