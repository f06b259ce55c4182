"""Certificate by which kubelet, and the agent with it, is known to the API servers."""

from datetime import UTC, datetime

from node import files, openssl
from node.contract import KUBELET_CERTIFICATE
from node.errors import NodeError
from node.settings import at


def joined() -> bool:
    """Whether kubelet has a certificate that has not expired. It renews its own long before.

    With an expired one, as after a year without power, kubelet asks for another with a join token.
    """
    text = files.read(at(KUBELET_CERTIFICATE))
    if not text:
        return False
    try:
        return openssl.validity(text)[1] > datetime.now(UTC)
    except NodeError:
        return False
