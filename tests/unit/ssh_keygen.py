"""Public keys as ssh-keygen makes them."""

import base64


def blob(*fields):
    return base64.b64encode(b"".join(len(f).to_bytes(4, "big") + f for f in fields)).decode()


def key(kind, *fields, comment=""):
    return f"{kind} {blob(kind.encode(), *fields)}{comment and ' '}{comment}"


def ed25519(number=1, comment=""):
    return key("ssh-ed25519", number.to_bytes(32, "big"), comment=comment)


def rsa(bits=4096, comment=""):
    modulus = b"\x00" + ((1 << bits) - 1).to_bytes(bits // 8, "big")
    return key("ssh-rsa", b"\x01\x00\x01", modulus, comment=comment)


def ecdsa(curve="nistp256", size=32):
    return key(f"ecdsa-sha2-{curve}", curve.encode(), b"\x04" + b"\x01" * (2 * size))


def sk_ed25519():
    return key("sk-ssh-ed25519@openssh.com", b"\x01" * 32, b"ssh:")


def sk_ecdsa():
    point = b"\x04" + b"\x01" * 64
    return key("sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", point, b"ssh:")
