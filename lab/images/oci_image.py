"""A container image of one static program, as registries have it (OCI image specification).

Equal programs make equal images: the cluster names them by digest, and another digest would roll
what runs them.
"""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIGURATION = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

_CAPABILITY = "SCHILY.xattr.security.capability"
"""Under which an archive keeps the capabilities of a file (PAX)."""
_BIND = "\x01\x00\x00\x02\x00\x04\x00\x00" + "\x00" * 12
"""CAP_NET_BIND_SERVICE, permitted and effective (struct vfs_cap_data, revision 2)."""

_TAG = "manifest"
"""The file that has the manifest's digest."""


@dataclass(frozen=True)
class Contents:
    """What an image is made of."""

    program: str
    """Name of the program, which is the entry point and lies in the root."""
    user: str
    """Whom it runs as, in numbers, since there is no file that knows names."""
    arguments: tuple[str, ...] = ()
    """What it is told where a pod says nothing."""
    low_ports: bool = False
    """Whether it may listen below 1024 without being root."""


def write(contents: Contents, program: Path, target: Path) -> None:
    """Write an image into an empty directory: every blob under its digest."""
    plain = _archive(contents, program)
    packed = io.BytesIO()
    with gzip.GzipFile(
        filename="", mode="wb", compresslevel=1, fileobj=packed, mtime=0
    ) as compressed:
        compressed.write(plain)
    configuration = {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "User": contents.user,
            "Entrypoint": [f"/{contents.program}"],
            "Cmd": list(contents.arguments),
            "WorkingDir": "/",
        },
        "rootfs": {"type": "layers", "diff_ids": [_digest(plain)]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _blob(target, json.dumps(configuration).encode(), CONFIGURATION),
        "layers": [_blob(target, packed.getvalue(), LAYER)],
    }
    found = _blob(target, json.dumps(manifest).encode(), MANIFEST)
    (target / _TAG).write_text(str(found["digest"]))


def digest_of(image: Path) -> str:
    """The digest of the image in a directory: that of its manifest."""
    return (image / _TAG).read_text(encoding="utf-8")


def blob(image: Path, digest: str) -> Path | None:
    """A blob of the image in a directory, by its digest."""
    kind, _, name = digest.partition(":")
    path = image / name
    return path if kind == "sha256" and name.isalnum() and path.is_file() else None


def _archive(contents: Contents, program: Path) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo(contents.program)
        entry.size, entry.mode = program.stat().st_size, 0o755
        if contents.low_ports:
            entry.pax_headers = {_CAPABILITY: _BIND}
        with program.open("rb") as file:
            archive.addfile(entry, file)
    return target.getvalue()


def _blob(target: Path, content: bytes, media_type: str) -> dict[str, object]:
    digest = _digest(content)
    (target / digest.partition(":")[2]).write_bytes(content)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
