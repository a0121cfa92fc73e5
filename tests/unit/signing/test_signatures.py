"""Signatures travel: made with a real gpg where a sink asks for them, and demanded where a route does."""

import sys

import pytest

import wheelrelay
from wheelrelay import PublishOptions, Remote, Route, Signer
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.errors import CheckFailed, ConfigError, MissingSecret, RelayFailed
from wheelrelay.records import Outcome
from wheelrelay.testing import make_sdist, make_wheel

WHEEL, SDIST = "sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"
PINENTRY = """\
import sys
from pathlib import Path
print("OK", flush=True)
for line in sys.stdin:
    if line.startswith("GETPIN"):
        Path({asked!r}).open("a").write("asked\\n")
        print("D {passphrase}")
    print("OK", flush=True)
"""


@pytest.fixture
def dist(tmp_path):
    """A release of one wheel and one sdist."""
    make_wheel(tmp_path / "dist")
    make_sdist(tmp_path / "dist")
    return tmp_path / "dist"


@pytest.fixture
def key(keyring):
    """The fingerprint of the only key that can sign."""
    return keyring.new_key("Releases <releases@example.org>")


@pytest.fixture
def index(open_pypiserver):
    """An index that keeps signatures and asks for them; its folder is ``open_pypiserver.folder``."""
    config = IndexConfig(url=open_pypiserver.simple_url, upload_url=open_pypiserver.upload_url, sign=True)
    return Remote("index", config)


def program(path, source):
    """A Python program that can be called by its path."""
    path.write_text(f"#!{sys.executable}\n{source}")
    path.chmod(0o755)
    return path


def names(folder):
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


class TestSigning:
    def test_every_file_is_uploaded_with_a_valid_signature(self, dist, index, open_pypiserver, keyring, key):
        assert wheelrelay.relay(Route(source=str(dist), sinks=[index])).is_complete
        arrived = open_pypiserver.folder
        assert names(arrived) == {WHEEL, SDIST, f"{WHEEL}.asc", f"{SDIST}.asc"}
        for name in (WHEEL, SDIST):
            assert keyring.is_good(arrived / name, (arrived / f"{name}.asc").read_bytes())
        assert names(dist) == {WHEEL, SDIST}

    def test_only_sinks_with_sign_get_signatures(self, dist, tmp_path, key):
        plain, signed = tmp_path / "plain", tmp_path / "signed"
        sinks = [
            Remote("plain", DirectoryConfig(path=plain)),
            Remote("signed", DirectoryConfig(path=signed, sign=True)),
        ]
        wheelrelay.relay(Route(source=str(dist), sinks=sinks))
        assert names(plain) == {WHEEL, SDIST}
        assert names(signed) == {WHEEL, SDIST, f"{WHEEL}.asc", f"{SDIST}.asc"}

    def test_signer_argument_applies_to_all_sinks(self, dist, tmp_path, keyring, key):
        other = keyring.new_key("Nightlies <nightlies@example.org>")
        wheelrelay.relay(
            Route(source=str(dist), sinks=[str(tmp_path / "out")]),
            options=PublishOptions(sign=True, signer=Signer(identity="nightlies@example.org")),
        )
        packets = keyring.run("--list-packets", tmp_path / "out" / f"{WHEEL}.asc").decode()
        assert other[-16:] in packets
        assert key[-16:] not in packets

    def test_signature_of_the_source_is_kept(self, dist, index, open_pypiserver, keyring, key):
        theirs = keyring.sign(dist / WHEEL, key=key).read_bytes()
        wheelrelay.relay(Route(source=str(dist), sinks=[index]))
        assert (open_pypiserver.folder / f"{WHEEL}.asc").read_bytes() == theirs

    def test_signature_by_an_unknown_key_is_kept(self, dist, index, open_pypiserver, keyring, key):
        gone = keyring.new_key("Gone <gone@example.org>")
        theirs = keyring.sign(dist / WHEEL, key=gone).read_bytes()
        keyring.run("--yes", "--delete-secret-and-public-key", gone)
        wheelrelay.relay(Route(source=str(dist), sinks=[index]))
        assert (open_pypiserver.folder / f"{WHEEL}.asc").read_bytes() == theirs

    def test_signature_of_other_bytes_is_refused_before_publishing(
        self, dist, index, open_pypiserver, keyring, key
    ):
        signature = keyring.sign(dist / SDIST, key=key)
        signature.rename(dist / f"{WHEEL}.asc")
        with pytest.raises(CheckFailed) as told:
            wheelrelay.relay(Route(source=str(dist), sinks=[index]))
        (finding,) = told.value.findings
        assert (finding.check, finding.filename) == ("signature-bad", WHEEL)
        assert "is not a signature of the file" in finding.message
        assert names(open_pypiserver.folder) == set()

    @pytest.mark.parametrize("content", [b"", b"garbage", "inline"], ids=["empty", "garbage", "inline"])
    def test_other_openpgp_data_is_refused(self, dist, index, keyring, key, content):
        if content == "inline":
            keyring.run("--armor", "--output", dist / "inline", "--sign", dist / SDIST)
            content = (dist / "inline").read_bytes()
            (dist / "inline").unlink()
        (dist / f"{WHEEL}.asc").write_bytes(content)
        with pytest.raises(CheckFailed) as told:
            wheelrelay.relay(Route(source=str(dist), sinks=[index]))
        assert [finding.check for finding in told.value.findings] == ["signature-bad"]

    def test_container_without_signatures_gets_them_once(self, dist, tmp_path, key):
        out = tmp_path / "out"
        route = Route(source=str(dist), sinks=[str(out)])
        wheelrelay.relay(route)
        signing = Route(source=str(dist), sinks=[Remote("out", DirectoryConfig(path=out, sign=True))])
        assert len(wheelrelay.verify(signing)) == 2
        assert wheelrelay.relay(signing).count(Outcome.PUBLISHED) == 2
        made = (out / f"{WHEEL}.asc").read_bytes()
        assert wheelrelay.relay(signing).count(Outcome.SKIPPED) == 2
        assert wheelrelay.verify(signing) == []
        assert (out / f"{WHEEL}.asc").read_bytes() == made

    def test_sink_without_listed_digests_gets_signatures(self, dist, tmp_path, web, key):
        out = tmp_path / "out"
        page = web.serve_folder(dist)
        sink = Remote("out", DirectoryConfig(path=out, sign=True))
        wheelrelay.relay(Route(source=f"listing+{page}", sinks=[str(out)]))
        wheelrelay.relay(Route(source=f"listing+{page}", sinks=[sink]))
        assert f"{WHEEL}.asc" in names(out)

    def test_mirror_signs_files(self, dist, tmp_path, key):
        sink = Remote("out", DirectoryConfig(path=tmp_path / "out", sign=True))
        wheelrelay.relay(Route(source=str(dist), sinks=[sink], mode="mirror"))
        assert {f"{WHEEL}.asc", f"{SDIST}.asc"} < names(tmp_path / "out")

    def test_gpg_prompts_once_for_the_passphrase_and_no_command_line_has_it(
        self, dist, index, open_pypiserver, keyring, tmp_path
    ):
        asked, called = tmp_path / "asked", tmp_path / "called"
        pinentry = program(
            tmp_path / "pinentry", PINENTRY.format(asked=str(asked), passphrase="correct-horse")
        )
        (keyring.home / "gpg-agent.conf").write_text(f"pinentry-program {pinentry}\n")
        keyring.new_key("Releases <releases@example.org>", passphrase="correct-horse")
        keyring.forget_passphrases()
        spy = program(
            tmp_path / "spy",
            f"import os, sys; open({str(called)!r}, 'a').write(repr(sys.argv) + '\\n')\n"
            "os.execvp('gpg', ['gpg', *sys.argv[1:]])",
        )
        wheelrelay.relay(
            Route(source=str(dist), sinks=[index]), options=PublishOptions(signer=Signer(str(spy)))
        )
        assert f"{WHEEL}.asc" in names(open_pypiserver.folder)
        assert asked.read_text() == "asked\n"
        assert len(called.read_text().splitlines()) == 5
        assert "correct-horse" not in called.read_text()


class TestWhatKeepsFromSigning:
    def refused(self, dist, index, error, **signer):
        options = PublishOptions(signer=Signer(**signer))
        with pytest.raises(error) as told:
            wheelrelay.relay(Route(source=str(dist), sinks=[index]), options=options)
        return str(told.value)

    @pytest.fixture(autouse=True)
    def _nothing_is_published(self, open_pypiserver):
        yield
        assert names(open_pypiserver.folder) == set()

    def test_missing_gpg_is_reported(self, dist, index):
        said = self.refused(dist, index, ConfigError, program="no-such-gpg")
        assert "'no-such-gpg' cannot be run" in said
        assert "Install GnuPG" in said

    def test_program_that_is_not_gpg_is_reported(self, dist, index):
        assert "could not sign: exit code 1" in self.refused(dist, index, ConfigError, program="false")

    def test_missing_key_is_reported(self, dist, index, keyring):
        assert "gpg has no secret key to sign with" in self.refused(dist, index, MissingSecret)

    def test_unknown_identity_is_reported(self, dist, index, key):
        said = self.refused(dist, index, MissingSecret, identity="nobody@example.org")
        assert "no secret key for 'nobody@example.org'" in said
        assert "`Signer(identity=...)`" in said

    def test_failed_passphrase_prompt_is_reported(self, dist, index, keyring, tmp_path):
        pinentry = program(tmp_path / "pinentry", "raise SystemExit(1)")
        (keyring.home / "gpg-agent.conf").write_text(f"pinentry-program {pinentry}\n")
        keyring.new_key("Releases <releases@example.org>", passphrase="correct-horse")
        keyring.forget_passphrases()
        said = self.refused(dist, index, ConfigError)
        assert "could not sign" in said
        assert "GPG_TTY" in said

    def test_signature_of_other_bytes_by_the_program_is_reported(self, dist, index, key, tmp_path):
        liar = program(
            tmp_path / "liar",
            "import os, sys\n"
            "given = sys.argv[1:]\n"
            "if '--detach-sign' in given and '--' in given:\n"
            "    given[-1] = os.devnull\n"
            "os.execvp('gpg', ['gpg', *given])",
        )
        said = self.refused(dist, index, wheelrelay.WheelrelayError, program=str(liar))
        assert "the new signature is not valid: BAD signature" in said

    def test_unusable_key_is_reported_before_any_transfer(self, dist, index, web, keyring):
        page = web.serve_folder(dist)
        with pytest.raises(MissingSecret):
            wheelrelay.relay(Route(source=f"listing+{page}", sinks=[index]))
        assert web.paths() == ["/"]


class TestTrustedKeys:
    def route(self, dist, out, *keys, mode="release"):
        trusted = {"keys": [str(key) for key in keys]}
        return Route(source=str(dist), sinks=[str(out)], trust=trusted, mode=mode)

    def refused(self, route):
        with pytest.raises(CheckFailed) as told:
            wheelrelay.relay(route)
        return [(finding.check, finding.filename) for finding in told.value.findings]

    @pytest.fixture
    def signed(self, dist, keyring, key):
        """The release, all signed by ``key``."""
        for name in (WHEEL, SDIST):
            keyring.sign(dist / name, key=key)
        return dist

    @pytest.fixture
    def out(self, tmp_path):
        return tmp_path / "out"

    @pytest.mark.parametrize("spelling", ["{}", "0x{}", "{:.4} {}"], ids=["plain", "0x", "spaced"])
    def test_signature_by_a_key_with_a_trusted_fingerprint_is_accepted(self, signed, out, key, spelling):
        text = spelling.format(key) if " " not in spelling else f"{key[:4]} {key[4:].lower()}"
        assert wheelrelay.relay(self.route(signed, out, text)).is_complete
        assert f"{WHEEL}.asc" in names(out)

    def test_long_key_id_is_accepted(self, signed, out, key):
        assert wheelrelay.relay(self.route(signed, out, key[-16:])).is_complete

    def test_key_file_is_accepted(self, signed, out, keyring, key, tmp_path):
        (tmp_path / "key.asc").write_bytes(keyring.run("--armor", "--export", key))
        keyring.run("--yes", "--delete-secret-and-public-key", key)
        assert wheelrelay.relay(self.route(signed, out, tmp_path / "key.asc")).is_complete

    def test_one_of_several_keys_is_enough(self, signed, out, keyring, key):
        other = keyring.new_key("Other <other@example.org>")
        assert wheelrelay.relay(self.route(signed, out, other, key)).is_complete

    def test_files_without_signature_are_refused(self, signed, out, key):
        (signed / f"{SDIST}.asc").unlink()
        assert self.refused(self.route(signed, out, key)) == [("signature-missing", SDIST)]
        assert names(out) == set()

    def test_files_without_signature_are_refused_even_if_the_sink_signs(self, dist, out, key):
        route = Route(
            source=str(dist),
            sinks=[Remote("out", DirectoryConfig(path=out, sign=True))],
            trust={"keys": [key]},
        )
        assert {check for check, _ in self.refused(route)} == {"signature-missing"}

    def test_signature_of_other_bytes_is_refused(self, signed, out, key):
        (signed / f"{SDIST}.asc").replace(signed / f"{WHEEL}.asc")
        assert ("signature-bad", WHEEL) in self.refused(self.route(signed, out, key))

    def test_signature_by_an_untrusted_key_of_the_keyring_is_refused(self, signed, out, keyring):
        other = keyring.new_key("Other <other@example.org>")
        refused = self.refused(self.route(signed, out, other))
        assert refused == [("signature-bad", WHEEL), ("signature-bad", SDIST)]

    def test_data_that_is_not_a_signature_is_refused(self, signed, out, key):
        (signed / f"{WHEEL}.asc").write_text("trust me")
        assert self.refused(self.route(signed, out, key)) == [("signature-bad", WHEEL)]

    def test_signature_by_an_expired_key_is_refused(self, dist, out, keyring):
        key = keyring.new_key("Short <short@example.org>", expires="seconds=600")
        for name in (WHEEL, SDIST):
            keyring.sign(dist / name, key=key)
        keyring.run("--quick-set-expire", key, "seconds=1")
        keyring.wait_until_expired(key)
        assert {check for check, _ in self.refused(self.route(dist, out, key))} == {"signature-bad"}

    def test_mirror_omits_unsigned_files(self, signed, out, key):
        (signed / f"{WHEEL}.asc").unlink()
        with pytest.raises(RelayFailed, match="no signature"):
            wheelrelay.relay(self.route(signed, out, key, mode="mirror"))
        assert names(out) == {SDIST, f"{SDIST}.asc"}

    def test_unknown_key_is_an_error(self, signed, out, key):
        with pytest.raises(ConfigError, match="gpg has no key 0123456789ABCDEF"):
            wheelrelay.relay(self.route(signed, out, "0123456789abcdef"))

    def test_missing_key_file_is_an_error(self, signed, out, tmp_path):
        with pytest.raises(ConfigError, match=r"key file .* cannot be read"):
            wheelrelay.relay(self.route(signed, out, tmp_path / "missing.asc"))

    def test_invalid_key_file_is_an_error(self, signed, out):
        with pytest.raises(ConfigError, match="has no key that gpg can read"):
            wheelrelay.relay(self.route(signed, out, signed / SDIST))

    def test_short_key_id_is_refused(self, signed, out, key):
        with pytest.raises(wheelrelay.ConfigError, match=r"keys\.0: .*short key id"):
            self.route(signed, out, key[-8:])

    def test_key_file_path_is_relative_to_the_configuration(self, signed, out, keyring, key, tmp_path):
        (tmp_path / "key.gpg").write_bytes(keyring.run("--export", key))
        (tmp_path / "wheelrelay.toml").write_text(
            f'[routes.release]\nsource = "{signed}"\nsinks = ["{out}"]\ntrust.keys = ["key.gpg"]\n'
        )
        route = wheelrelay.load_config(tmp_path / "wheelrelay.toml").route("release")
        assert wheelrelay.relay(route).is_complete
