"""systemd units as text, from sections."""

from collections.abc import Mapping, Sequence

from components.userdata.cloud_config import File

Setting = str | int | bool | Sequence[str]
"""A setting's value; a sequence repeats the setting."""
Section = Mapping[str, Setting]

UNIT_DIRECTORY = "/etc/systemd/system"


def unit(name: str, sections: Mapping[str, Section]) -> File:
    """The unit file of that name; sections and settings stay in the given order."""
    text = "\n".join(_section(title, settings) for title, settings in sections.items())
    return File(f"{UNIT_DIRECTORY}/{name}", text)


def _section(title: str, settings: Section) -> str:
    lines = [f"[{title}]"]
    for key, value in settings.items():
        lines += [f"{key}={text}" for text in _values(value)]
    return "\n".join(lines) + "\n"


def _values(value: Setting) -> Sequence[str]:
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, str | int):
        return [str(value)]
    return value
