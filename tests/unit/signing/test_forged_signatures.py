"""Signatures made without the key of anybody who is trusted: none of them passes, over a real gpg."""

import pytest
from tests.servers.openpgp import (
    EDDSA,
    KEYSERVER,
    POLICY,
    RSA,
    SIGNER,
    armored,
    notation,
    signature,
    subpacket,
)

import wheelrelay
from wheelrelay import Route
from wheelrelay.errors import CheckFailed
from wheelrelay.testing import make_wheel

WHEEL = "sample-1.0-py3-none-any.whl"

BREAKS = {
    "U+2028": "\u2028",
    "U+2029": "\u2029",
    "U+0085": "\x85",
    "vertical tab": "\v",
    "form feed": "\f",
    "file separator": "\x1c",
    "group separator": "\x1d",
    "record separator": "\x1e",
    "carriage return": "\r",
    "newline": "\n",
    "both": "\r\n",
}
"""Where one program or another begins a new line."""

PLACES = {
    "user id": lambda text: subpacket(SIGNER, text),
    "notation's name": lambda text: notation(text + b"@example.org", b"value"),
    "notation's value": lambda text: notation(b"remark@example.org", text),
    "policy": lambda text: subpacket(POLICY, text),
    "key server": lambda text: subpacket(KEYSERVER, text),
}
"""What the maker of a signature can write into it, and gpg may repeat."""


@pytest.fixture
def dist(tmp_path):
    """A release of one wheel."""
    make_wheel(tmp_path / "dist")
    return tmp_path / "dist"


@pytest.fixture
def key(keyring):
    """The fingerprint of the key that is trusted."""
    return keyring.new_key("Releases <releases@example.org>")


def claims(key):
    """The status lines that gpg would write for a good signature of ``key``, after a break each.

    There is no address in angle brackets, of which gpg would repeat nothing but the address.
    """
    lines = [
        f"GOODSIG {key[-16:]} Releases",
        f"VALIDSIG {key} 2026-01-01 1767225600 0 4 0 1 8 00 {key}",
        "TRUST_ULTIMATE 0 always",
    ]
    return "".join(f"{{0}}[GNUPG:] {line}" for line in lines) + "{0}"


def check_refused(dist, out, key):
    with pytest.raises(CheckFailed) as told:
        wheelrelay.relay(Route(source=str(dist), sinks=[str(out)], trust={"keys": [key]}))
    assert {finding.check for finding in told.value.findings} == {"signature-bad"}
    assert not out.exists()


@pytest.mark.parametrize("unhashed", [False, True], ids=["covered", "not covered"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("line_break", BREAKS)
def test_text_in_a_signature_cannot_forge_gpg_status_lines(dist, tmp_path, key, line_break, place, unhashed):
    text = ("Releases" + claims(key).format(BREAKS[line_break])).encode()
    made = signature(PLACES[place](text), unhashed=unhashed)
    (dist / f"{WHEEL}.asc").write_bytes(armored(made))
    check_refused(dist, tmp_path / "out", key)


@pytest.mark.parametrize("algorithm", [RSA, EDDSA])
@pytest.mark.parametrize("issuer", ["the trusted key", "some key"])
def test_random_bytes_are_not_a_signature(dist, tmp_path, key, algorithm, issuer):
    text = ("x" + claims(key).format("\u2028")).encode()
    known = bytes.fromhex(key[-16:]) if issuer == "the trusted key" else bytes(8)
    made = signature(subpacket(SIGNER, text), issuer=known, algorithm=algorithm)
    (dist / f"{WHEEL}.asc").write_bytes(armored(made))
    check_refused(dist, tmp_path / "out", key)


class TestSeveralInOne:
    """One companion may hold several signatures: each has to be good, and by somebody who is trusted."""

    @pytest.fixture
    def other(self, keyring):
        return keyring.new_key("Other <other@example.org>")

    def signed(self, keyring, path, *keys):
        users = [word for key in keys for word in ("--local-user", key)]
        return keyring.run(*users, "--output", "-", "--detach-sign", path)

    def relay(self, dist, out, *keys):
        route = Route(source=str(dist), sinks=[str(out)], trust={"keys": list(keys)})
        assert wheelrelay.relay(route).is_complete

    def test_two_valid_signatures_by_trusted_keys_are_accepted(self, dist, tmp_path, keyring, key, other):
        (dist / f"{WHEEL}.asc").write_bytes(armored(self.signed(keyring, dist / WHEEL, key, other)))
        self.relay(dist, tmp_path / "out", key, other)

    def test_valid_signature_with_one_by_another_key_is_refused(self, dist, tmp_path, keyring, key, other):
        (dist / f"{WHEEL}.asc").write_bytes(armored(self.signed(keyring, dist / WHEEL, other, key)))
        check_refused(dist, tmp_path / "out", key)

    @pytest.mark.parametrize("order", [1, -1], ids=["first", "last"])
    def test_valid_signature_with_a_forged_one_is_refused(self, dist, tmp_path, keyring, key, order):
        forged = signature(issuer=bytes.fromhex(key[-16:]), algorithm=EDDSA)
        both = [self.signed(keyring, dist / WHEEL, key), forged][::order]
        (dist / f"{WHEEL}.asc").write_bytes(armored(b"".join(both)))
        check_refused(dist, tmp_path / "out", key)

    def test_valid_signature_with_one_of_other_bytes_is_refused(self, dist, tmp_path, keyring, key):
        (tmp_path / "else").write_bytes(b"something else")
        both = self.signed(keyring, dist / WHEEL, key) + self.signed(keyring, tmp_path / "else", key)
        (dist / f"{WHEEL}.asc").write_bytes(armored(both))
        check_refused(dist, tmp_path / "out", key)


def test_text_mode_signature_is_refused(dist, tmp_path, keyring, key):
    keyring.run("--textmode", "--armor", "--local-user", key, "--detach-sign", dist / WHEEL)
    check_refused(dist, tmp_path / "out", key)


def test_signature_by_a_revoked_key_is_refused(dist, tmp_path, keyring, key):
    keyring.sign(dist / WHEEL, key=key)
    revocation = (keyring.home / "openpgp-revocs.d" / f"{key}.rev").read_text().replace(":-----", "-----")
    keyring.run("--import", given=revocation.encode())
    check_refused(dist, tmp_path / "out", key)


def test_expired_signature_is_refused(dist, tmp_path, keyring):
    long_ago = ("--faked-system-time", "20200101T000000")
    plain = ("--pinentry-mode", "loopback", "--passphrase", "")
    keyring.run(*long_ago, *plain, "--quick-generate-key", "old@example.org", "ed25519", "sign", "never")
    lines = keyring.run("--with-colons", "--list-keys").decode().split("\n")
    (key,) = (line.split(":")[9] for line in lines if line.startswith("fpr:"))
    keyring.run(*long_ago, "--armor", "--default-sig-expire", "1d", "--detach-sign", dist / WHEEL)
    check_refused(dist, tmp_path / "out", key)
