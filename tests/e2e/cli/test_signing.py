"""Signatures on the command line."""

import pytest
from tests.e2e.cli.conftest import SDIST, WHEEL

SIGNED = {WHEEL, SDIST, f"{WHEEL}.asc", f"{SDIST}.asc"}


@pytest.fixture
def out(here):
    """Where the files go."""
    return here / "out"


def test_relay_signs_with_the_chosen_key(wheelrelay, dist, out, keyring):
    keyring.new_key("Releases <releases@example.org>")
    key = keyring.new_key("Nightlies <nightlies@example.org>")
    ended = wheelrelay("relay", "--from", dist, "--to", out, "-s", "--sign-with", "gpg", "--identity", key)
    assert ended.code == 0
    assert "Signing 2 files with gpg" in ended.err
    assert {path.name for path in out.iterdir()} == SIGNED
    assert key[-16:] in keyring.run("--list-packets", out / f"{WHEEL}.asc").decode()


def test_missing_key_publishes_nothing(wheelrelay, dist, out, keyring):
    ended = wheelrelay("relay", "--from", dist, "--to", out, "--sign", "--identity", "nobody")
    assert ended.code == 2
    assert "gpg has no secret key for 'nobody' to sign with" in ended.err
    assert not out.exists()


def test_push_signs_if_configured(wheelrelay, dist, out, here, keyring):
    keyring.new_key("CI <ci@example.org>")
    (here / "wheelrelay.toml").write_text('[remotes.out]\ntype = "directory"\npath = "out"\nsign = true\n')
    assert wheelrelay("push", "dist", "--to", "out").code == 0
    assert {path.name for path in out.iterdir()} == SIGNED


def test_file_without_trusted_signature_is_refused(wheelrelay, dist, out, here, keyring):
    key = keyring.new_key("Releases <releases@example.org>")
    keyring.sign(dist / WHEEL, key=key)
    (here / "wheelrelay.toml").write_text(
        f'[routes.release]\nsource = "./dist"\nsinks = "{out}"\ntrust.keys = ["{key}"]\n'
    )
    ended = wheelrelay("relay", "release")
    assert ended.code == 3
    assert SDIST in ended.err
    assert WHEEL not in ended.err.split("signature-missing")[1]
    assert not out.exists()
