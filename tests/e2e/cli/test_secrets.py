"""No secret shows in what a command says, whatever goes wrong and however much it is asked to say."""

import base64
import urllib.parse

import click
import pytest
from tests.e2e.secrets.workspace import COMMANDS
from tests.servers.proxy import Fault
from tests.servers.web import Reply

from wheelrelay.cli import cli

CANARY = "canary-Pä55/w+rd=?"
FORMS = (
    CANARY,
    base64.b64encode(f"ci:{CANARY}".encode()).decode(),
    urllib.parse.quote(CANARY),
    urllib.parse.quote(CANARY, safe=""),
)


@pytest.fixture
def config(here, proxy, monkeypatch):
    """A configuration whose index gets a password."""
    monkeypatch.setenv("CANARY", CANARY)
    path = here / "wheelrelay.toml"
    path.write_text(
        f"""
[remotes.index]
type = "index"
url = "{proxy.index.simple_url}"
upload_url = "{proxy.index.upload_url}"
username = "ci"
password = {{ env = "CANARY" }}

[routes.release]
source = "./dist"
sinks = ["index"]
"""
    )
    return path


def refused(status):
    return Fault(Reply(b"No.", status, "text/plain"))


@pytest.mark.parametrize("trouble", ["none", "401 on a page", "403 on a page", "401", "403", "400", "reset"])
@pytest.mark.parametrize("options", [["-vv"], ["-vv", "--debug"], ["-vv", "--json"]], ids=" ".join)
def test_password_never_appears_in_output(wheelrelay, config, dist, proxy, here, trouble, options):
    if trouble.endswith("page"):
        proxy.fail_page(*[refused(int(trouble[:3]))] * 9)
    elif trouble == "reset":
        proxy.fail_upload("", Fault(after=100))
    elif trouble != "none":
        proxy.fail_upload("", *[refused(int(trouble))] * 9)
    ended = wheelrelay("relay", "release", "--receipt", "receipt.json", *options)
    assert ended.code == (0 if trouble in ("none", "reset") else 1)
    said = ended.out + ended.err
    if (here / "receipt.json").exists():
        said += (here / "receipt.json").read_text()
    assert [form for form in FORMS if form in said] == []


def test_password_is_sent_to_the_index(wheelrelay, config, dist, proxy):
    assert wheelrelay("relay", "release", "-q").code == 0
    expected = f"Basic {base64.b64encode(f'ci:{CANARY}'.encode()).decode()}"
    assert {request.headers.get("authorization") for request in proxy.requests} == {expected}


@pytest.mark.parametrize("command", [["config", "show"], ["config", "check"], ["plan", "release", "--json"]])
def test_plan_and_config_output_has_no_password(wheelrelay, config, dist, command):
    ended = wheelrelay(*command, "-vv")
    assert ended.code == 0
    assert [form for form in FORMS if form in ended.out + ended.err] == []


def test_missing_secret_is_reported_before_publishing(wheelrelay, config, dist, proxy, monkeypatch):
    monkeypatch.delenv("CANARY")
    ended = wheelrelay("relay", "release")
    assert ended.code == 2
    assert "CANARY is not set" in ended.err
    assert proxy.uploads() == []


def test_reading_commands_resolve_no_secret_of_a_sink(wheelrelay, here, dist, home, proxy):
    (home / ".pypirc").write_text("")
    ran = here / "ran"
    (here / "wheelrelay.toml").write_text(
        f"""
[remotes.up]
type = "index"
upload_url = "{proxy.index.upload_url}"
confirm = "none"
token = {{ command = ["touch", "{ran}"] }}

[remotes.elsewhere]
type = "index"
url = "{proxy.index.simple_url}"
upload_url = "https://upload.example.org/legacy/"
token = {{ command = ["touch", "{ran}"] }}

[routes.release]
source = "./dist"
sinks = ["up", "elsewhere"]
"""
    )
    for command in (
        *(
            ["config", "check"],
            ["config", "show", "--sources"],
            ["list", "./dist"],
            ["list", "elsewhere", "sample"],
        ),
        *(["plan", "release"], ["check", "dist"], ["backends"]),
    ):
        ended = wheelrelay(*command)
        assert "touch" not in ended.err
        assert not ran.exists(), command


def test_every_command_is_searched_for_canaries():
    assert {command.split()[0] for command in COMMANDS} | {"demo"} == set(
        cli.list_commands(click.Context(cli))
    )
