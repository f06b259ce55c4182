"""Pulumi's download sites, and whether any of them can be reached: directly, through a proxy
(HTTPS_PROXY, NO_PROXY), or as a mirror that PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES names.
"""

import functools
import os
import subprocess
import sys
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

CLI = ("https://get.pulumi.com",)
PLUGINS = ("https://github.com", "https://get.pulumi.com")

CONNECT_SECONDS = 4.0
"""How long a site may take to accept a connection, its name's resolution included."""

OVERRIDES = "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES"
"""`regular expression=URL` pairs, separated by commas; the CLI reads them."""

PROBE = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2]))).close()"


def plugin_sites() -> Sequence[str]:
    """URLs of every site that may have plugins, mirrors first."""
    pairs = os.environ.get(OVERRIDES, "").split(",")
    return [*(url for pair in pairs if (url := pair.rpartition("=")[2])), *PLUGINS]


def hosts(sites: Sequence[str]) -> str:
    """The sites' names, for people; never a password of a URL."""
    return ", ".join(_split(site).hostname or "?" for site in sites)


def reachable(sites: Sequence[str]) -> bool:
    """Whether any of the sites, or the proxy before it, accepts a connection.

    A URL that names no host is left to the CLI: it counts as reachable.
    """
    return any(_accepts(site) for site in sites)


def _accepts(site: str) -> bool:
    url = _split(site)
    scheme = "http" if url.scheme == "http" else "https"
    proxy = getproxies().get(scheme)
    if proxy and url.hostname and not proxy_bypass(url.hostname):
        url = _split(proxy if "://" in proxy else f"http://{proxy}")
    try:
        port = url.port or (80 if url.scheme == "http" else 443)
    except ValueError:
        return True
    return url.hostname is None or _connects(url.hostname, port)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


@functools.cache
def _connects(host: str, port: int) -> bool:
    """Asked once in a run. A process of its own, since nothing else limits a name's resolution."""
    command = [sys.executable, "-I", "-S", "-c", PROBE, host, str(port)]
    try:
        return not subprocess.run(
            command, capture_output=True, timeout=CONNECT_SECONDS, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return False
