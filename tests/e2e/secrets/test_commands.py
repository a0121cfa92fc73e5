"""No command shows a secret in its output, its files or its child processes, even at full verbosity."""

import base64

import pytest
from tests.e2e.secrets.workspace import (
    COMMANDS,
    LOUD,
    PLACES,
    UNREACHABLE,
    all_places,
    by_config_command,
    by_config_env,
    by_netrc,
    by_own_variables,
    by_pypirc,
    by_trusted_publishing,
)
from tests.servers.echo import PLACES as ECHOING
from tests.servers.echo import run_echoing_index
from tests.servers.sigstore import Builder, LocalSigstore

from wheelrelay.testing import make_wheel, stage_path

pytestmark = pytest.mark.long


@pytest.mark.parametrize("place", PLACES)
def test_relay_output_has_no_credentials(workspace, place):
    place(workspace)
    receipt = ("--receipt", "receipt.json", "--sums", "SHA256SUMS")
    result = workspace.run("relay", "release", "--yes", *receipt, *LOUD)
    assert result.code == 0, result.output
    assert "Credentials for 'company'" in result.output
    assert workspace.logins() == set(workspace.canaries.values() or workspace.index.tokens)
    assert (workspace.work / "receipt.json").is_file()


@pytest.mark.parametrize(
    "place", [by_config_command, by_own_variables, by_pypirc, by_netrc, by_trusted_publishing]
)
def test_refused_relay_output_has_no_credentials(workspace, place):
    place(workspace)
    workspace.index.status_for_bad_tokens, workspace.index.echoes = 401, True
    workspace.index.accounts = {}
    workspace.index.publisher = "somebody/else"
    result = workspace.run("relay", "release", "--yes", "--json", "--receipt", "receipt.json", *LOUD)
    assert result.code == 1
    assert "***" in result.output
    assert workspace.index.files == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_output_has_no_secrets(workspace, command):
    all_places(workspace)
    make_wheel(workspace.work / "store", "old", "1.0")
    workspace.index.take(next((workspace.work / "dist").glob("*.whl")))
    code, arguments = COMMANDS[command]
    result = workspace.run(*command.split(), *arguments, *LOUD)
    assert result.code == code, result.output


@pytest.fixture(scope="module")
def echoes():
    """An index that repeats all that it is sent."""
    with run_echoing_index() as index:
        yield index


ASKING = {
    "audit": ("audit", "company", "sample", "--json"),
    "compare": ("compare", "company", "sample==1.0", "sample==2.0"),
    "expect": ("expect", "--from", "company", "sample==1.0"),
    "list": ("list", "company", "sample"),
    "list long": ("list", "company", "sample", "--long"),
    "list json": ("list", "company", "sample", "--json"),
    "plan": ("plan", "release", "sample==1.0"),
    "preflight": ("preflight", "release", "sample==1.0", "--json"),
    "push": ("push", "dist", "--to", "company", "--json"),
    "plan from": ("plan", "--from", "company", "--to", "store", "sample==1.0", "--json"),
    "relay": ("relay", "release", "sample==1.0", "--yes", "--receipt", "receipt.json", "--sums", "sums"),
    "relay from": (
        *("relay", "--from", "company", "--to", "store", "sample", "--mode", "mirror", "--json"),
        *("--receipt", "receipt.json", "--sums", "sums"),
    ),
    "verify": ("verify", "release", "sample==1.0", "--json"),
}
"""Commands that ask an index."""


@pytest.mark.parametrize("place", ECHOING)
def test_echoing_index_reveals_no_secrets(workspace, echoes, place):
    by_config_env(workspace)
    keys = "".join(f'{key} = "{url}"\n' for key, url in echoes.addresses(place).items())
    workspace.write(
        workspace.work / "wheelrelay.toml",
        f'[remotes.company]\ntype = "index"\n{keys}{workspace.remote}\n'
        '[remotes.store]\ntype = "directory"\npath = "store"\n'
        '[routes.release]\nsource = "./dist"\nsinks = ["company"]\n',
    )
    workspace.env |= {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(workspace.work / "summary.md")}
    workspace.env |= {"GITHUB_OUTPUT": str(workspace.work / "outputs")}
    echoes.requests.clear()
    said = "".join(workspace.run(*arguments, *LOUD).output for arguments in ASKING.values())
    (secret,) = workspace.canaries.values()
    sent = {request.headers.get("authorization", "") for request in echoes.requests}
    assert any(secret in base64.b64decode(one.removeprefix("Basic ")).decode() for one in sent), said


def test_all_commands_that_use_an_index_are_covered():
    readers = {"audit", "compare", "expect", "list", "plan", "preflight", "relay", "verify"}
    assert {arguments[0] for arguments in ASKING.values()} == readers | {"push"}
    assert set(COMMANDS) - readers == {
        *("backends", "check", "completion", "config check", "config schema", "config show"),
        *("receipt merge", "receipt show"),
        *("index", "init", "prune", "push", "remove", "yank"),  # of files on this machine, or in a container
    }


def test_init_writes_no_secrets_of_pypirc(workspace):
    all_places(workspace)
    (workspace.work / "wheelrelay.toml").unlink()
    result = workspace.run("init", "--from", "./dist", "--to", "warehouse", *LOUD)
    assert result.code == 0, result.output
    assert "warehouse" in (workspace.work / "wheelrelay.toml").read_text()


@pytest.mark.parametrize("sign", ["GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD"])
@pytest.mark.parametrize("command", ["push", "relay"])
def test_ci_commands_have_no_secrets(workspace, command, sign):
    all_places(workspace)
    workspace.env |= {"GITHUB_ACTIONS": "", sign: "true"}
    for variable, name in (("GITHUB_STEP_SUMMARY", "summary.md"), ("GITHUB_OUTPUT", "outputs")):
        workspace.env[variable] = str(workspace.work / name)
    _, arguments = COMMANDS[command]
    result = workspace.run(command, *(one for one in arguments if one != "--json"), *LOUD)
    assert result.code == 0, result.output
    assert (workspace.work / "summary.md").exists() is (sign == "GITHUB_ACTIONS")  # it has been searched


def test_wheel_uploader_output_has_no_secrets(workspace):
    by_pypirc(workspace)
    page = workspace.index.serve_folder(workspace.work / "dist", "/wheels/")
    arguments = ("-r", "warehouse", "-u", page, "-w", "wheelhouse", "-t", "all", *LOUD, "sample", "1.0")
    (workspace.work / "wheelhouse").mkdir()
    result = workspace.run(*arguments, program="wheel-uploader")
    assert result.code == 0, result.output
    assert workspace.logins() == set(workspace.canaries.values())


@pytest.mark.parametrize("place", PLACES)
def test_attestation_errors_have_no_credentials(workspace, place):
    place(workspace)
    workspace.remote += "\nattest = true"
    workspace.configure()
    workspace.env |= UNREACHABLE
    result = workspace.run("relay", "release", "--yes", "--json", "--receipt", "receipt.json", *LOUD)
    assert workspace.index.uploads == []
    if place is by_trusted_publishing:
        assert (result.code, len(workspace.index.identities) > 1) == (1, True), result.output
        assert "Sigstore" in result.output
    else:
        assert result.code == 2, result.output
        assert "accepts attestations only with trusted publishing" in result.output


def test_attestation_upload_output_has_no_secrets(workspace, tmp_path):
    by_trusted_publishing(workspace)
    sigstore = LocalSigstore()
    workspace.index.trust_root = sigstore.write_trust_root(tmp_path)
    for path in list((workspace.work / "dist").iterdir()):
        made = sigstore.attest(path.name, stage_path(path).sha256, Builder(repository="example/project"))
        path.with_name(f"{path.name}.publish.attestation").write_bytes(made)
    result = workspace.run("relay", "release", "--yes", "--receipt", "receipt.json", *LOUD)
    assert result.code == 0, result.output
    assert len(workspace.index.attested) == 2


@pytest.mark.long
def test_demo_output_has_no_secrets(workspace):
    all_places(workspace)
    workspace.env |= UNREACHABLE  # samples take PyPI's place
    result = workspace.run("demo", *LOUD)
    assert result.code == 0, result.output
