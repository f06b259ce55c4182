"""Cloud-config document: files and commands as values, dumped once."""

from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

import yaml


@dataclass(frozen=True, order=True)
class File:
    """A file that cloud-init writes, owned by root: its daemons' users do not exist yet."""

    path: str
    content: str
    permissions: str = "0644"

    @classmethod
    def script(cls, path: str, name: str) -> "File":
        """An executable copied verbatim from `files/`."""
        content = files("components.userdata").joinpath("files", name).read_text("utf-8")
        return cls(path, content, "0755")


@dataclass(frozen=True)
class CloudConfig:
    """The user data of one node. Equal values render to equal bytes, on any machine and day."""

    hostname: str | None
    """None: the one that the metadata service has for the machine."""
    write_files: tuple[File, ...]
    runcmd: tuple[tuple[str, ...], ...] = field(default=())

    def render(self) -> str:
        """The document as text: `#cloud-config` and YAML."""
        return _rendered(self)


@lru_cache(maxsize=64)
def _rendered(config: CloudConfig) -> str:
    document = {
        **({"hostname": config.hostname} if config.hostname else {}),
        "manage_etc_hosts": "localhost",
        # A boot must neither wait for package mirrors nor change what was tested.
        "package_update": False,
        "package_upgrade": False,
        "ssh_pwauth": False,
        "disable_root": True,
        "write_files": [_entry(file) for file in sorted(config.write_files)],
        "runcmd": [list(command) for command in config.runcmd],
    }
    return f"#cloud-config\n{dump_yaml(document)}"


def _entry(file: File) -> dict[str, str]:
    return {
        "path": file.path,
        "owner": "root:root",
        "permissions": file.permissions,
        "content": file.content,
    }


class _BlockDumper(yaml.SafeDumper):
    """Writes text of several lines as a `|` block, so that units and scripts stay readable."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_BlockDumper.add_representer(str, _represent_text)


def dump_yaml(document: object) -> str:
    """YAML with keys in the given order and no folded lines.

    A tab or a trailing blank in a text would push PyYAML to quoted lines; tests forbid both.
    """
    text: str = yaml.dump(
        document, Dumper=_BlockDumper, sort_keys=False, width=4096, allow_unicode=True
    )
    return text
