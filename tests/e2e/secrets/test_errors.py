"""Errors about secrets do not contain them."""

import base64
import subprocess
import sys
from urllib.parse import quote

import pytest
from tests.e2e.secrets.workspace import (
    LOUD,
    ProcessRecorder,
)
from tests.servers.canaries import canary, disguises, seen

pytestmark = pytest.mark.long


def literal_secret(workspace):
    workspace.remote = f'token = "{workspace.make("literal")}"'
    workspace.configure()


def secret_in_broken_toml(workspace):
    workspace.remote = f'token = "{workspace.make("toml")}'
    workspace.configure()


def secret_in_url(workspace):
    address = workspace.index.url.replace("//", f"//ci:{quote(workspace.make('url'), safe='')}@")
    workspace.configure(f'[remotes.other]\ntype = "index"\nurl = "{address}"\n')


def secret_in_source(workspace):
    address = workspace.index.url.replace("//", f"//ci:{workspace.make('source')}@")
    workspace.configure(f'[routes.other]\nsource = "{address}"\nsinks = ["store"]\n')


def secret_in_source_with_a_slash(workspace):
    address = workspace.index.url.replace("//", f"//{workspace.make('slash')}@")
    workspace.configure(f'[routes.other]\nsource = "{address}"\nsinks = ["store"]\n')


def secret_with_line_end(workspace):
    workspace.env["WHEELRELAY_COMPANY_TOKEN"] = workspace.make("line-end") + "\n"


def secret_of_failing_command(workspace):
    workspace.write(workspace.secrets / "token", workspace.make("failing"))
    read = f"import sys; print(open({str(workspace.secrets / 'token')!r}).read()); sys.exit(7)"
    workspace.remote = f'token = {{ command = ["{sys.executable}", "-c", """{read}"""] }}'
    workspace.configure()


def secret_in_what_a_failing_command_complains_of(workspace):
    workspace.write(workspace.secrets / "token", workspace.make("complaint"))
    read = f"import sys; sys.exit(open({str(workspace.secrets / 'token')!r}).read())"
    workspace.remote = f'token = {{ command = ["{sys.executable}", "-c", """{read}"""] }}'
    workspace.configure()


def secret_that_is_no_text(workspace):
    (workspace.secrets / "token").write_bytes(workspace.make("bytes").encode() + b"\xff")
    workspace.remote = f'token = {{ file = "{workspace.secrets / "token"}" }}'
    workspace.configure()


def secret_in_malformed_pypirc(workspace):
    workspace.write(workspace.home / ".pypirc", f"password = {workspace.make('malformed')}\n")


def secret_in_address_in_pypirc(workspace):
    address = workspace.index.upload_url.replace("//", f"//ci:{workspace.make('repository')}@")
    workspace.write(
        workspace.home / ".pypirc", f"[distutils]\nindex-servers = x\n[x]\nrepository = {address}\n"
    )
    workspace.configure('[routes.other]\nsource = "./dist"\nsinks = ["x"]\n')


def secret_in_malformed_netrc(workspace):
    workspace.index.status_for_bad_tokens = 401
    workspace.write(
        workspace.home / ".netrc", f"machine 127.0.0.1 login ci {workspace.make('netrc')} password\n"
    )


@pytest.mark.parametrize(
    "place",
    [
        *(literal_secret, secret_in_broken_toml, secret_in_url, secret_in_source, secret_with_line_end),
        *(secret_of_failing_command, secret_in_what_a_failing_command_complains_of),
        *(secret_that_is_no_text, secret_in_malformed_pypirc),
        *(secret_in_address_in_pypirc, secret_in_malformed_netrc),
    ],
)
def test_errors_about_secrets_do_not_contain_them(workspace, place):
    place(workspace)
    (workspace.work / "wheelrelay.toml").rename(
        workspace.secrets / "wheelrelay.toml"
    )  # it may hold the canary itself
    config = str(workspace.secrets / "wheelrelay.toml")
    (workspace.secrets / "dist").symlink_to(workspace.work / "dist")
    result = workspace.run("relay", "release", "--yes", "--config", config, *LOUD)
    assert result.code != 0
    assert "wheelrelay.errors." in result.output
    assert workspace.logins() == set()


@pytest.mark.parametrize(
    ("option", "address"),
    [
        ("--from", "index+http://ci:{}@127.0.0.1/"),
        ("--from", "https://{}@127.0.0.1/"),
        ("--from", "sftp://ci:{}@127.0.0.1/"),
        ("--to", "s3://ci:{}@bucket/"),
        ("--to", "pypi://{}:@/"),
        ("--from", "ci:{}@127.0.0.1:1/x/"),
        ("--to", "ci:{}@index.example.org"),
    ],
)
def test_error_about_address_does_not_contain_its_secret(workspace, option, address):
    other = "--to" if option == "--from" else "--from"
    command = (
        "relay",
        option,
        address.format(quote(workspace.make("address"), safe="")),
        other,
        "./dist",
        "sample",
    )
    said = workspace.run(*command, *LOUD).output
    assert "not belong in an address" in said or "must not contain credentials" in said


def test_search_includes_child_processes():
    secret, started = canary("argument"), ProcessRecorder()
    with started:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.3)", secret], check=True)
    assert seen("\n".join(started.commands), [secret]) == [secret]


def test_search_finds_encoded_secrets():
    secret = canary("any")
    for ahead in range(4):
        for behind in range(4):
            text = base64.b64encode(b"x" * ahead + secret.encode() + b"y" * behind).decode()
            assert seen(f"Authorization: Basic {text}", [secret]) == [secret]
    for text in disguises(secret):
        assert seen(f"a{text}b", [secret]) == [secret]
    assert seen(f"{secret[:9]}\n  {secret[9:]}", [secret]) == [secret]
    assert seen("nothing of the kind", [secret]) == []
