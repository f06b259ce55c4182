"""Images as those who pull them get them."""

import hashlib
import io
import json
import tarfile

import pytest

from config.container_images import COREDNS, IMAGES, PAUSE
from lab.images import catalog, oci_image
from lab.images.oci_image import Contents
from lab.images.registry import Registry

CONTENTS = Contents("web", user="65532:65532", arguments=("serve",), low_ports=True)


@pytest.fixture
def image(tmp_path):
    program, target = tmp_path / "web", tmp_path / "image"
    program.write_bytes(b"program")
    target.mkdir()
    oci_image.write(CONTENTS, program, target)
    return target


@pytest.fixture
def registry(image):
    return Registry({"registry.k8s.io/tests/web": {"v1": image}})


def pulled(registry: Registry, kind: str, reference: str) -> bytes:
    found = registry.find("registry.k8s.io", f"/v2/tests/web/{kind}/{reference}")
    assert found is not None
    content = found.file.read_bytes()
    assert found.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    return content


def test_who_pulls_a_tag_gets_the_program(registry):
    manifest = json.loads(pulled(registry, "manifests", "v1"))
    configuration = json.loads(pulled(registry, "blobs", manifest["config"]["digest"]))
    assert configuration["config"] == {
        "User": "65532:65532",
        "Entrypoint": ["/web"],
        "Cmd": ["serve"],
        "WorkingDir": "/",
    }
    [layer] = manifest["layers"]
    packed = pulled(registry, "blobs", layer["digest"])
    assert len(packed) == layer["size"]
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        [member] = archive.getmembers()
        assert (member.name, member.mode, member.uid, member.mtime) == ("web", 0o755, 0, 0)
        # setcap cap_net_bind_service=ep (capabilities(7), "File capabilities").
        capabilities = member.pax_headers["SCHILY.xattr.security.capability"].encode()
        assert capabilities == bytes.fromhex("0100000200040000") + bytes(12)
        content = archive.extractfile(member)
        assert content is not None
        assert content.read() == b"program"


def test_a_digest_and_its_tag_are_the_same_image(registry, image):
    digest = oci_image.digest_of(image)
    assert pulled(registry, "manifests", digest) == pulled(registry, "manifests", "v1")
    assert registry.reference("registry.k8s.io/tests/web", "v1") == (
        f"registry.k8s.io/tests/web:v1@{digest}"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/v2/",
        "/v2/tests/web/tags/list",
        "/v2/tests/web/manifests/v2",
        "/v2/tests/other/manifests/v1",
        "/v2/tests/web/blobs/v1",
        "/v2/tests/web/blobs/sha256:..",
        "/v2/tests/web/blobs/sha256:manifest/../x",
        "/v2/tests/web/blobs/sha512:0",
    ],
)
def test_nothing_else_is_there(registry, path):
    assert registry.find("registry.k8s.io", path) is None


def test_a_manifest_is_no_blob_and_no_other_host_has_it(registry, image):
    digest = oci_image.digest_of(image)
    assert registry.find("registry.k8s.io", f"/v2/tests/web/blobs/{digest}") is None
    assert registry.find("quay.io", "/v2/tests/web/manifests/v1") is None
    assert registry.find("quay.io", f"/v2/tests/web/manifests/{digest}") is None


def test_equal_programs_make_equal_images(image, tmp_path):
    again = tmp_path / "again"
    again.mkdir()
    (tmp_path / "web").touch()
    oci_image.write(CONTENTS, tmp_path / "web", again)
    assert {path.name for path in again.iterdir()} == {path.name for path in image.iterdir()}
    assert oci_image.digest_of(again) == oci_image.digest_of(image)


def test_the_lab_has_every_image_of_the_cluster():
    made = {(recipe.name, recipe.tag) for recipe in catalog.RECIPES}
    assert {(image.name, image.tag) for image in IMAGES.values()} <= made
    assert catalog.AGNHOST in made
    assert {COREDNS, PAUSE} == set(IMAGES.values())


def test_the_stack_names_them_by_the_labs_digests(image):
    registry = Registry({one.name: {one.tag: image} for one in IMAGES.values()})
    digest = oci_image.digest_of(image)
    assert catalog.references(registry) == {
        "coredns": f"{COREDNS.name}:{COREDNS.tag}@{digest}",
        "pause": f"{PAUSE.name}:{PAUSE.tag}@{digest}",
    }
