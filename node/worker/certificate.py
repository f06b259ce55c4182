"""Certificate by which kubelet, and the agent with it, is known to the API servers."""

from datetime import UTC, datetime

from node import files, openssl
from node.contract import KUBELET_CERTIFICATE
from node.errors import NodeError
from node.settings import at

LEFT_WHEN_OVERDUE = 0.09
"""Part of a certificate's life that is left when it should have been renewed for some hours."""


def joined() -> bool:
    """Whether kubelet has a certificate that has not expired. It renews its own long before.

    With an expired one, as after two weeks without power, kubelet asks for another by join token.
    """
    text = files.read(at(KUBELET_CERTIFICATE))
    if not text:
        return False
    try:
        return openssl.validity(text)[1] > datetime.now(UTC)
    except NodeError:
        return False


def overdue() -> str:
    """That kubelet should have renewed its certificate by now; empty when not.

    It does so when 70 to 90 % of its life have passed (client-go, jitteryDuration). Raises
    NodeError for one that is damaged.
    """
    starts, ends = openssl.validity(files.read(at(KUBELET_CERTIFICATE)) or "")
    left = ends - datetime.now(UTC)
    if left > (ends - starts) * LEFT_WHEN_OVERDUE:
        return ""
    return f"kubelet's certificate ends in {left.total_seconds() / 3600:.0f} h and is not renewed"
