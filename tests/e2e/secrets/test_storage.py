"""Object storage that repeats requests in its answers reveals no secrets."""

import pytest
from tests.e2e.secrets.workspace import LOUD
from tests.servers.echo import run_echoing_storage

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def storage():
    """Object storage that repeats all requests."""
    with run_echoing_storage() as storage:
        yield storage


def s3_remote(workspace, storage):
    workspace.env |= {"S3_SECRET": workspace.make("s3-secret"), "S3_TOKEN": workspace.make("s3-token")}
    return (
        f'type = "s3"\nbucket = "wheels"\nregion = "us-east-1"\nendpoint_url = "{storage.url}"\n'
        'access_key_id = "AKIAEXAMPLE"\nsecret_access_key = { env = "S3_SECRET" }\n'
        'session_token = { env = "S3_TOKEN" }\n'
    )


def swift_remote_with_token(workspace, storage):
    workspace.env["SWIFT_TOKEN"] = workspace.make("swift-token")
    return (
        f'type = "swift"\ncontainer = "wheels"\nstorage_url = "{storage.url}v1/AUTH_test"\n'
        'token = { env = "SWIFT_TOKEN" }\n'
    )


def swift_remote_with_login(workspace, storage):
    workspace.env["SWIFT_PASSWORD"] = workspace.make("swift-password")
    return (
        f'type = "swift"\ncontainer = "wheels"\nauth_url = "{storage.url}auth/v1.0"\n'
        'username = "ci"\npassword = { env = "SWIFT_PASSWORD" }\n'
    )


STORAGE_COMMANDS = (
    ("list", "staging", "sample"),
    ("push", "dist", "--to", "staging", "--json"),
    ("index", "staging"),
    ("relay", "--from", "staging", "--to", "store", "sample==1.0", "--json", "--receipt", "receipt.json"),
)


@pytest.mark.parametrize(
    ("remote", "form"),
    [
        *((s3_remote, form) for form in ("xml", "code", "reason", "location")),
        *((swift_remote_with_token, form) for form in ("text", "reason", "location", "listing")),
        *((swift_remote_with_login, form) for form in ("text", "html")),
    ],
)
def test_echoing_storage_reveals_no_secrets(
    workspace,
    storage,
    remote,
    form,
):
    storage.form = form
    storage.requests.clear()
    keys = remote(workspace, storage)
    workspace.env["WHEELRELAY_MAX_RETRY_WAIT"] = "0s"
    workspace.write(
        workspace.work / "wheelrelay.toml",
        f'[remotes.staging]\n{keys}\n[remotes.store]\ntype = "directory"\npath = "store"\n',
    )
    output = "".join(workspace.run(*arguments, *LOUD).output for arguments in STORAGE_COMMANDS)
    sent = "".join(value for request in storage.requests for value in request.headers.values())
    assert any(secret in sent for secret in workspace.canaries.values()), output
