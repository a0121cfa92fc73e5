"""Forged OpenPGP signature packets (RFC 9580), created without a key."""

import base64
import secrets
import struct
import time

SIGNER, NOTATION, POLICY, KEYSERVER, ISSUER, ISSUER_FINGERPRINT, CREATED = 28, 20, 26, 24, 16, 33, 2
"""Subpackets of a signature (section 5.2.3.7)."""

RSA, EDDSA, SHA256 = 1, 22, 8


def subpacket(kind: int, content: bytes) -> bytes:
    """Return a subpacket of a signature."""
    return _length(len(content) + 1) + bytes([kind]) + content


def notation(name: bytes, value: bytes) -> bytes:
    """Return a notation subpacket with readable text."""
    head = struct.pack("!IHH", 0x80000000, len(name), len(value))
    return subpacket(NOTATION, head + name + value)


def signature(
    *subpackets: bytes, issuer: bytes = bytes(8), algorithm: int = RSA, unhashed: bool = False
) -> bytes:
    """Return a signature packet with random numbers instead of a signature.

    Args:
        subpackets: the subpackets other than time and issuer.
        issuer: the id of the key that it claims as its issuer, in 8 bytes.
        algorithm: the kind of key.
        unhashed: write the subpackets into the area that no signature covers.
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
    """Return packets in ASCII armor (section 6.2)."""
    text = base64.b64encode(packets).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    checksum = "=" + base64.b64encode(_crc24(packets).to_bytes(3, "big")).decode()
    whole = ["-----BEGIN PGP SIGNATURE-----", "", *lines, checksum, "-----END PGP SIGNATURE-----", ""]
    return "\n".join(whole).encode()


def _crc24(content: bytes) -> int:
    """Return the checksum of the armor (section 6.1), which gpg requires."""
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
