"""Binaries: from an HTTPS mirror, with the right bytes or not at all."""

import hashlib
import io
import tarfile
import urllib.request

import pytest

from node import download
from node.errors import NodeError
from node.operations import Operations
from node.settings import Artifact
from tests.node.doubles import Quiet, serve

BINARY = b"#!/bin/sh\necho kube-apiserver\n" * 1000


def archive(**members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, content in members.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVE = archive(
    **{
        "etcd-v3/README.md": b"read me",
        "etcd-v3/etcd": b"etcd",
        "etcd-v3/etcdctl": b"etcdctl",
        "etcd-v3/etcdutl": b"etcdutl",
    }
)


def install(wanted):
    """From upstream itself."""
    return download.install(wanted, lambda url: url)


HOSTILE = archive(**{"../../../../etc/passwd": b"hostile", "../../etcd": b"etcd"})
CONTENT = {
    "/kube-apiserver": BINARY,
    "/etcd.tar.gz": ARCHIVE,
    "/hostile.tar.gz": HOSTILE,
    "/not-an-archive.tar.gz": BINARY,
}


@pytest.fixture(scope="module")
def requests():
    return []


@pytest.fixture(scope="module")
def mirror(authority, requests):
    class Mirror(Quiet):
        def do_GET(self):
            requests.append(self.path)
            if self.path == "/truncated":
                self.reply(200, BINARY[:1000], length=len(BINARY))
            elif self.path in CONTENT:
                self.reply(200, CONTENT[self.path])
            else:
                self.reply(404)

    with serve(Mirror, authority.server_context("mirror")) as port:
        yield f"https://127.0.0.1:{port}"


@pytest.fixture(autouse=True)
def trusted(authority, tmp_path, monkeypatch, requests):
    """The mirror's CA is one that the machine trusts."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text(authority.pair.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    # From Python 3.12 on it keeps what the first one in the process trusted.
    monkeypatch.setattr(urllib.request, "_opener", None)
    requests.clear()


def artifact(mirror, path, *binaries, sha256=None, kind="tar.gz"):
    content = CONTENT.get(path, BINARY)
    return Artifact(
        f"{mirror}{path}", sha256 or hashlib.sha256(content).hexdigest(), kind, binaries
    )


@pytest.fixture
def api_server(mirror):
    return artifact(mirror, "/kube-apiserver", "kube-apiserver", kind="binary")


@pytest.fixture
def bin_(root):
    return root / "usr/local/bin"


def test_a_binary_is_installed_once(api_server, bin_, requests):
    assert install(api_server) == ["installed kube-apiserver"]
    path = bin_ / "kube-apiserver"
    assert path.read_bytes() == BINARY
    assert path.stat().st_mode & 0o777 == 0o755
    assert install(api_server) == []
    assert requests == ["/kube-apiserver"]
    assert not list(bin_.glob("*.part"))


def test_an_archive_gives_the_binaries_that_are_named(mirror, bin_, requests):
    wanted = artifact(mirror, "/etcd.tar.gz", "etcd", "etcdctl", "etcdutl")
    assert install(wanted) == ["installed etcd, etcdctl, etcdutl"]
    visible = {p.name: p.read_text() for p in bin_.iterdir() if not p.name.startswith(".")}
    assert visible == {name: name for name in ("etcd", "etcdctl", "etcdutl")}
    assert install(wanted) == []
    assert requests == ["/etcd.tar.gz"]


def test_another_version_replaces_and_the_first_can_come_back(mirror, bin_, requests):
    old = artifact(mirror, "/etcd.tar.gz", "etcd")
    new = artifact(mirror, "/hostile.tar.gz", "etcd")
    for wanted in (old, new, old):
        assert install(wanted) == ["installed etcd"]
    assert requests == ["/etcd.tar.gz", "/hostile.tar.gz", "/etcd.tar.gz"]


def test_what_is_installed_asks_nobody_where_to_download(api_server, bin_, requests):
    install(api_server)

    def source(url):
        raise AssertionError(url)

    assert download.install(api_server, source) == []


def test_a_mirror_stands_in_for_upstream(mirror, bin_, requests):
    upstream = artifact("https://dl.k8s.io", "/kube-apiserver", "kube-apiserver", kind="binary")
    told = Operations(15, 30, mirror, ())
    assert download.install(upstream, told.source) == ["installed kube-apiserver"]
    assert requests == ["/kube-apiserver"]


def test_a_damaged_binary_is_replaced(api_server, bin_):
    install(api_server)
    (bin_ / "kube-apiserver").write_bytes(BINARY[:-1])
    assert install(api_server) == ["installed kube-apiserver"]
    assert (bin_ / "kube-apiserver").read_bytes() == BINARY


def test_paths_of_an_archive_lead_nowhere(mirror, root, bin_):
    install(artifact(mirror, "/hostile.tar.gz", "etcd"))
    names = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
    assert names == {"usr/local/bin/etcd", "usr/local/bin/.etcd.sha256"}


@pytest.mark.parametrize(
    ("path", "binary", "complaint"),
    [
        ("/truncated", "kube-apiserver", "has the SHA-256"),
        ("/missing", "kube-apiserver", "404"),
        ("/etcd.tar.gz", "kubectl", "holds no kubectl"),
        ("/not-an-archive.tar.gz", "etcd", "is no archive"),
    ],
)
def test_what_is_not_as_expected_is_not_installed(mirror, bin_, path, binary, complaint):
    with pytest.raises(NodeError, match=complaint):
        install(artifact(mirror, path, binary, kind="tar.gz" if ".tar" in path else "binary"))
    assert list(bin_.iterdir()) == []


def test_a_wrong_checksum_leaves_the_old_binary(mirror, api_server, bin_):
    install(api_server)
    wrong = artifact(mirror, "/etcd.tar.gz", "kube-apiserver", sha256="0" * 64, kind="binary")
    with pytest.raises(NodeError, match="0000"):
        install(wrong)
    assert (bin_ / "kube-apiserver").read_bytes() == BINARY
    assert install(api_server) == []


def test_only_https(root, requests):
    with pytest.raises(NodeError, match="not HTTPS"):
        install(Artifact("http://127.0.0.1/etcd", "0" * 64, "binary", ("etcd",)))
    assert requests == []


def test_a_mirror_that_nobody_vouches_for_is_refused(api_server, bin_, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    with pytest.raises(NodeError, match="CERTIFICATE_VERIFY_FAILED"):
        install(api_server)
    assert list(bin_.iterdir()) == []


@pytest.mark.parametrize("stop", ["install", "write", "sha256"])
def test_stopped_anywhere_it_ends_the_same(mirror, bin_, monkeypatch, stop):
    class Killed(BaseException):
        pass

    wanted = artifact(mirror, "/etcd.tar.gz", "etcd", "etcdctl")
    real = getattr(download.files, stop)

    def killed_after(*arguments, **options):
        real(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(download.files, stop, killed_after)
        with pytest.raises(Killed):
            install(wanted)
    install(wanted)
    assert {p.name for p in bin_.iterdir()} == {
        "etcd",
        "etcdctl",
        ".etcd.sha256",
        ".etcdctl.sha256",
    }
    assert install(wanted) == []
