"""Socket through which HAProxy takes commands while it runs."""

import socket

from node.contract import PROXY_SOCKET
from node.errors import NodeError
from node.settings import at


def tell(command: str, answer: str = "") -> None:
    """Give HAProxy a line of commands; NodeError unless it answers so, OSError as `ask`."""
    if (said := ask(command)) != answer:
        raise NodeError(f"HAProxy did not {command.partition(';')[0]}: {said}")


def ask(command: str) -> str:
    """HAProxy's answer to a line of commands; OSError when it does not run."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(at(PROXY_SOCKET)))
        connection.sendall(f"{command}\n".encode())
        with connection.makefile() as answer:
            return answer.read().strip()
