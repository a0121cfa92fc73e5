"""OpenPGP signature packets (RFC 9580) made by hand, with no key at all: anybody can write such bytes."""

import base64
import secrets
import struct
import time

SIGNER, NOTATION, POLICY, KEYSERVER, ISSUER, ISSUER_FINGERPRINT, CREATED = 28, 20, 26, 24, 16, 33, 2
"""Subpackets of a signature (section 5.2.3.7)."""

RSA, EDDSA, SHA256 = 1, 22, 8


def subpacket(kind: int, content: bytes) -> bytes:
    """A subpacket of a signature."""
    return _length(len(content) + 1) + bytes([kind]) + content


def notation(name: bytes, value: bytes) -> bytes:
    """The subpacket with a remark that people can read."""
    head = struct.pack("!IHH", 0x80000000, len(name), len(value))
    return subpacket(NOTATION, head + name + value)


def signature(
    *subpackets: bytes, issuer: bytes = bytes(8), algorithm: int = RSA, unhashed: bool = False
) -> bytes:
    """A packet that says it is the signature of a file, with random numbers in the place of one.

    Args:
        subpackets: what it says besides its time and its issuer.
        issuer: the id of the key that it claims to be made by, in 8 bytes.
        algorithm: which kind of key.
        unhashed: put the subpackets where even a true signature would not cover them.
    """
    told = b"".join(subpackets)
    common = subpacket(CREATED, struct.pack("!I", int(time.time())))
    covered, open_to_all = (common, told) if unhashed else (common + told, b"")
    open_to_all += subpacket(ISSUER, issuer)
    body = bytes([4, 0, algorithm, SHA256])
    body += struct.pack("!H", len(covered)) + covered
    body += struct.pack("!H", len(open_to_all)) + open_to_all
    body += secrets.token_bytes(2)
    body += b"".join(_number() for _ in range(1 if algorithm == RSA else 2))
    return b"\xc2" + _length(len(body)) + body


def armored(packets: bytes) -> bytes:
    """Packets as text (section 6.2)."""
    text = base64.b64encode(packets).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    checksum = "=" + base64.b64encode(_crc24(packets).to_bytes(3, "big")).decode()
    whole = ["-----BEGIN PGP SIGNATURE-----", "", *lines, checksum, "-----END PGP SIGNATURE-----", ""]
    return "\n".join(whole).encode()


def _crc24(content: bytes) -> int:
    """The checksum of armor (section 6.1), which gpg looks for."""
    crc = 0xB704CE
    for byte in content:
        crc ^= byte << 16
        for _ in range(8):
            crc = (crc << 1) ^ (0x1864CFB if crc & 0x800000 else 0)
    return crc


def _number() -> bytes:
    return struct.pack("!H", 256) + bytes([0x80 | secrets.randbelow(0x80)]) + secrets.token_bytes(31)


def _length(size: int) -> bytes:
    if size < 192:
        return bytes([size])
    return bytes([((size - 192) >> 8) + 192, (size - 192) & 0xFF])
