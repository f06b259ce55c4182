"""What an API node's machine is called. Pure."""


def hostname(name: str, address: str) -> str:
    """The machine's own name, such as api-0-10-0-0-17.

    An API server's successor has the node's name and runs beside it for a while, and leaders sign
    their leases with the hostname: two machines of one name would take each other's for their own.
    No two machines of a network have one address at a time.
    """
    return f"{name}-{address.replace('.', '-')}"
