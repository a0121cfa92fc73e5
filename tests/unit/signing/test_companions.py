"""What lies beside a distribution file is published next to it only if it is what its name says."""

import json
import logging

import pytest
from tests.servers.openpgp import armored, signature
from tests.servers.sigstore import LocalSigstore
from tests.servers.web import run_web

import wheelrelay
from wheelrelay import Route
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.errors import BackendError, CheckFailed
from wheelrelay.model import Companion
from wheelrelay.records import Outcome
from wheelrelay.signing.companions import format_error
from wheelrelay.testing import make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"
PUBLISH = ".publish.attestation"

PACKETS = signature()
OLD = b"\x89" + (len(PACKETS) - 2).to_bytes(2, "big") + PACKETS[2:]
"""The same packet in the older of the two frames."""

BUNDLE = {
    "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
    "verificationMaterial": {"certificate": {"rawBytes": "AA=="}, "tlogEntries": []},
    "messageSignature": {"messageDigest": {}, "signature": "AA=="},
}


def attestation(**changes):
    document = json.loads(LocalSigstore().attest(WHEEL, "0" * 64))
    return json.dumps({**document, **changes}).encode()


def bundle(**changes):
    return json.dumps({**BUNDLE, **changes}).encode()


@pytest.fixture
def dist(tmp_path):
    """A release of one wheel."""
    make_wheel(tmp_path / "dist")
    return tmp_path / "dist"


@pytest.fixture
def out(tmp_path):
    """Where it goes."""
    return tmp_path / "out"


def relay(source, out):
    return wheelrelay.relay(Route(source=str(source), sinks=[str(out)]))


def names(folder):
    return {path.name for path in folder.iterdir()}


def suffixes(value):
    """What tells a case from others: its bytes are made anew in each process."""
    return value if isinstance(value, str) else ""


class TestForm:
    @pytest.mark.parametrize(
        ("suffix", "content"),
        [
            (".asc", armored(PACKETS)),
            (".asc", armored(PACKETS + signature(algorithm=22))),
            (".asc", armored(PACKETS).replace(b"\n", b"\r\n")),
            (".asc", armored(PACKETS).replace(b"\n\n", b"\nVersion: GnuPG v1\nComment: x: y\n\n", 1)),
            (".asc", PACKETS),
            (".asc", PACKETS * 16),
            (".asc", OLD),
            (".sigstore", bundle()),
            (".sigstore", bundle(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.1")),
            (PUBLISH, attestation()),
            (".slsa.attestation", attestation()),
        ],
        ids=suffixes,
    )
    def test_valid_companion_is_accepted(self, suffix, content):
        assert format_error(Companion(suffix, content)) is None

    @pytest.mark.parametrize(
        ("suffix", "content"),
        [
            (".asc", b""),
            (".asc", b"<html>Log in first</html>"),
            (".asc", b"#!/bin/sh\necho signature\n"),
            (".asc", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"),
            (".asc", b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"),
            (".asc", b"-----BEGIN PGP SIGNATURE-----\n"),
            (".asc", armored(PACKETS) + b"<script>alert(1)</script>\n"),
            (".asc", b"<script>alert(1)</script>\n" + armored(PACKETS)),
            (".asc", armored(PACKETS) * 2),
            (".asc", armored(PACKETS).replace(b"\n\n", b"\n", 1)),
            (".asc", PACKETS[:-1]),
            (".asc", PACKETS * 17),
            (".asc", PACKETS + b"\n"),
            (".asc", PACKETS + b"\xcb\x06b\x00\x00\x00\x00\x00"),
            (".asc", PACKETS[:2] + b"\x04\x10" + PACKETS[4:]),
            (".asc", PACKETS[:2] + b"\x09" + PACKETS[3:]),
            (".asc", b"\xc2\xff\xff\xff\xff\xff\x04\x00"),
            (".asc", b"\xc2\xe0\x04\x00"),
            (".asc", b"\xc2"),
            (".asc", b"\x8b\x04\x00"),
            (".sigstore", b""),
            (".sigstore", b"{}"),
            (".sigstore", b"[]"),
            (".sigstore", b"[" * 100_000),
            (".sigstore", bundle(mediaType="text/html")),
            (".sigstore", bundle(messageSignature=None)),
            (".sigstore", bundle(verificationMaterial=[])),
            (PUBLISH, b"null"),
            (PUBLISH, attestation(version=2)),
            (PUBLISH, attestation(envelope={"statement": "AA=="})),
            (PUBLISH, attestation(envelope={"statement": "AA==", "signature": "?"})),
            (PUBLISH, attestation(verification_material={"certificate": "AA==", "transparency_entries": []})),
        ],
        ids=suffixes,
    )
    def test_malformed_companion_is_refused_with_a_reason(self, suffix, content):
        reason = format_error(Companion(suffix, content))
        assert reason
        assert reason.startswith(("it ", "its "))


class TestStayingBehind:
    @pytest.mark.parametrize("suffix", [".asc", ".sigstore"])
    def test_malformed_companion_is_reported_and_not_published(self, dist, out, suffix):
        (dist / f"{WHEEL}{suffix}").write_bytes(b"<html>anything</html>")
        receipt = relay(dist, out)
        assert receipt.is_complete
        assert [(found.check, found.severity) for found in receipt.findings] == [
            ("companion-refused", "warning")
        ]
        assert f"{WHEEL}{suffix} is not published" in receipt.findings[0].message
        assert names(out) == {WHEEL}

    def test_malformed_companion_does_not_cause_another_upload(self, dist, out):
        (dist / f"{WHEEL}.asc").write_bytes(b"anything")
        relay(dist, out)
        assert relay(dist, out).count(Outcome.SKIPPED) == 1

    def test_other_companions_of_the_file_are_published(self, dist, out):
        (dist / f"{WHEEL}.asc").write_bytes(b"anything")
        (dist / f"{WHEEL}.sigstore").write_bytes(bundle())
        relay(dist, out)
        assert names(out) == {WHEEL, f"{WHEEL}.sigstore"}

    def test_malformed_attestation_of_the_right_file_is_not_published(self, dist, out):
        statement = json.loads(LocalSigstore().attest(WHEEL, stage_path(dist / WHEEL).sha256))["envelope"]
        content = json.dumps({"version": 1, "envelope": {"statement": statement["statement"]}})
        (dist / f"{WHEEL}{PUBLISH}").write_text(content)
        assert [found.check for found in relay(dist, out).findings] == ["companion-refused"]
        assert names(out) == {WHEEL}

    def test_mirror_does_not_publish_malformed_companions(self, dist, out):
        (dist / f"{WHEEL}.asc").write_bytes(b"anything")
        wheelrelay.relay(Route(source=str(dist), sinks=[str(out)], mode="mirror"))
        assert names(out) == {WHEEL}


class TestLinks:
    """A link beside a file may lead to anything that the user of this machine can read."""

    @pytest.fixture
    def secret(self, tmp_path):
        path = tmp_path / "secret.asc"
        path.write_bytes(armored(PACKETS))
        return path

    def test_link_in_a_directory_is_reported_and_not_followed(self, dist, out, secret, caplog):
        (dist / f"{WHEEL}.asc").symlink_to(secret)
        with caplog.at_level(logging.WARNING):
            assert relay(dist, out).is_complete
        assert names(out) == {WHEEL}
        assert "links to companions are not followed" in caplog.text

    def test_file_replaced_by_a_link_is_not_followed(self, dist, secret):
        with DirectoryConfig(path=dist).open() as store:
            (dist / f"{WHEEL}.asc").write_bytes(armored(PACKETS))
            [file] = store.iter_files("sample")
            assert file.companions == (".asc",)
            (dist / f"{WHEEL}.asc").unlink()
            (dist / f"{WHEEL}.asc").symlink_to(secret)
            with pytest.raises(BackendError, match="not followed"):
                store.read_companion(file, ".asc")

    def test_link_next_to_a_pushed_file_is_not_followed(self, dist, out, secret):
        (dist / f"{WHEEL}.asc").symlink_to(secret)
        assert wheelrelay.push([str(dist / WHEEL)], str(out)).is_complete
        assert names(out) == {WHEEL}

    def test_link_listed_by_fsspec_is_not_followed(self, dist, out, secret):
        (dist / f"{WHEEL}.asc").symlink_to(secret)
        assert relay(f"fsspec+file://{dist}", out).is_complete
        assert names(out) == {WHEEL}


def test_large_companion_of_a_pushed_file_is_refused(dist, out):
    (dist / f"{WHEEL}.asc").write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(BackendError, match="too large for a companion"):
        wheelrelay.push([str(dist / WHEEL)], str(out))
    assert not out.exists()


class TestRedirects:
    @pytest.fixture
    def elsewhere(self):
        """Another origin than that of the files."""
        with run_web() as running:
            yield running

    def test_redirect_to_another_origin_is_not_followed(
        self, web, elsewhere, dist, out, tmp_path, monkeypatch
    ):
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        target = elsewhere.serve("/anything.asc", armored(PACKETS))
        page = web.serve_folder(dist)
        web.serve("/", f'<a href="{WHEEL}">w</a><a href="{WHEEL}.asc">s</a>')
        web.redirect(f"/{WHEEL}.asc", target)
        receipt = relay(f"listing+{page}", out)
        assert receipt.is_complete
        assert [found.check for found in receipt.findings] == ["companion-refused"]
        assert "redirects to another host" in receipt.findings[0].message
        assert names(out) == {WHEEL}
        assert elsewhere.paths() == []

    def test_redirected_signature_counts_as_missing(self, web, elsewhere, dist, out, keyring):
        key = keyring.new_key("Releases <releases@example.org>")
        target = elsewhere.serve("/good.asc", keyring.sign(dist / WHEEL, key=key).read_bytes())
        page = web.serve_folder(dist)
        web.serve("/", f'<a href="{WHEEL}">w</a><a href="{WHEEL}.asc">s</a>')
        web.redirect(f"/{WHEEL}.asc", target)
        with pytest.raises(CheckFailed) as told:
            wheelrelay.relay(Route(source=f"listing+{page}", sinks=[str(out)], trust={"keys": [key]}))
        assert "signature-missing" in {found.check for found in told.value.findings}

    def test_redirect_within_the_same_origin_is_followed(self, web, dist, out):
        page = web.serve_folder(dist)
        web.serve("/", f'<a href="{WHEEL}">w</a><a href="{WHEEL}.asc">s</a>')
        web.redirect(f"/{WHEEL}.asc", "/kept/elsewhere.asc")
        web.serve("/kept/elsewhere.asc", armored(PACKETS))
        relay(f"listing+{page}", out)
        assert (out / f"{WHEEL}.asc").read_bytes() == armored(PACKETS)
