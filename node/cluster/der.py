"""Distinguished encoding rules (X.690), as far as certificate requests need them. Pure.

Strict: what two readers could read differently is an error, because the API server's signer reads
the same bytes with another reader.
"""

from collections.abc import Iterator

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING = 0x01, 0x02, 0x03, 0x04
OBJECT_IDENTIFIER = 0x06
UTF8_STRING, PRINTABLE_STRING = 0x0C, 0x13
SEQUENCE, SET = 0x30, 0x31


def only(data: bytes, tag: int) -> bytes:
    """The content of the one value that the bytes are. ValueError when they are anything else."""
    values = list(items(data))
    if len(values) != 1:
        raise ValueError(f"{len(values)} values in the place of one")
    return expect(values[0], tag)


def expect(value: tuple[int, bytes], tag: int) -> bytes:
    """The content of a value of that tag; ValueError when it has another one."""
    found, content = value
    if found != tag:
        raise ValueError(f"tag {found:#x} in the place of {tag:#x}")
    return content


def items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of the values that follow each other in the bytes, to their end.

    ValueError where they are not DER.
    """
    while data:
        if len(data) < 2:
            raise ValueError("a value that is cut off")
        tag, length, start = data[0], data[1], 2
        if tag & 0x1F == 0x1F:
            raise ValueError("a tag of several bytes")
        if length & 0x80:
            size = length & 0x7F
            start += size
            length = int.from_bytes(data[2:start], "big")
            # The shortest form, and none without a length: that is BER.
            if not 1 <= size <= 4 or length < 0x80 or length >> (8 * (size - 1)) == 0:
                raise ValueError("a length that is not of DER")
        if len(data) < start + length:
            raise ValueError("a value that is cut off")
        yield tag, data[start : start + length]
        data = data[start + length :]


def text(tag: int, content: bytes) -> str:
    """The text of a string, of the two kinds that are written today; ValueError for any other."""
    if tag == UTF8_STRING:
        return content.decode("utf-8")
    if tag == PRINTABLE_STRING:
        return content.decode("ascii")
    raise ValueError(f"a string of tag {tag:#x}")
