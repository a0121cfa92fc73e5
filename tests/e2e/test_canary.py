"""No secret is ever seen: commands run at full verbosity with canaries in every place that has secrets."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.servers.canaries import canary, disguises, seen, text_below
from tests.servers.echo import PLACES as ECHOING
from tests.servers.echo import EchoingIndex, run_echoing_index
from tests.servers.oidc import AUDIENCE, REQUEST_TOKEN, TrustingIndex, run_trusting_index
from tests.servers.process import script
from tests.servers.sigstore import Builder, LocalSigstore

from wheelrelay.testing import make_sdist, make_wheel, stage_path

pytestmark = pytest.mark.long

UNREACHABLE = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
"""Variables that keep a command from the web: nobody listens there."""

LOUD = ("-vv", "--debug")
ROOT = Path(__file__).parents[2]


@dataclass
class Cage:
    """A folder to work in, an index that wants credentials, and canaries all around.

    Attributes:
        index: the index.
        work: the working directory; all that is written there is searched.
        secrets: a folder beside it for files with secrets.
        home: the home folder.
        env: variables for the commands.
        canaries: all secrets, by place.
        remote: keys of the remote ``company``, which is the index.
    """

    index: TrustingIndex
    work: Path
    secrets: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)
    canaries: dict[str, str] = field(default_factory=dict)
    remote: str = ""

    def make(self, place: str) -> str:
        """A canary for a place, which the index takes as the password of ``ci``."""
        self.canaries[place] = canary(place)
        self.index.accounts[f"ci-{place}"] = self.canaries[place]
        return self.canaries[place]

    def write(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o600)

    def configure(self, more: str = "") -> None:
        self.write(
            self.work / "wheelrelay.toml",
            f'[remotes.company]\ntype = "index"\nurl = "{self.index.simple_url}"\n'
            f'upload_url = "{self.index.upload_url}"\n{self.remote}\n'
            '[remotes.store]\ntype = "directory"\npath = "store"\n'
            "[remotes.store.retention]\nkeep = 1\n"
            '[routes.release]\nsource = "./dist"\nsinks = ["company"]\n' + more,
        )

    def run(self, *arguments: str, program: str = "wheelrelay") -> "Ran":
        """Run a command; whatever it says, writes or starts is searched."""
        started, command = Started(), [script(program), *arguments]
        with started:
            done = subprocess.run(
                command,
                cwd=self.work,
                env={**os.environ, **self.env, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        started.forget(arguments)  # what was typed is not what we start
        ran = Ran(done.returncode, done.stdout + done.stderr, started.commands)
        self.search(ran)
        return ran

    def search(self, ran: "Ran") -> None:
        """Fail if any canary was seen anywhere."""
        words = [*self.canaries.values(), REQUEST_TOKEN, *self.index.identities, *self.index.tokens]
        everything = "\n".join((ran.said, text_below(self.work), *sorted(ran.commands)))
        assert not seen(everything, words), ran.said

    def logins(self) -> set[str]:
        """The passwords that came with uploads, in clear."""
        uploads = (one.headers for one in self.index.requests if one.path == "/legacy/")
        sent = [headers["authorization"] for headers in uploads if "authorization" in headers]
        clear = (base64.b64decode(value.removeprefix("Basic ")).decode() for value in sent)
        return {login.partition(":")[2] for login in clear}


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, all that it said, and the commands that ran meanwhile."""

    code: int
    said: str
    commands: set[str] = field(repr=False)


class Started:
    """Collects the command lines of all processes while the context lasts."""

    def __init__(self) -> None:
        self.commands: set[str] = set()
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._collect, daemon=True)

    def __enter__(self) -> None:
        self._watch.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    def forget(self, arguments: tuple[str, ...]) -> None:
        """Leave out the command that was called with these."""
        typed = " ".join((*arguments, ""))
        self.commands = {command for command in self.commands if not command.endswith(typed)}

    def _collect(self) -> None:
        while not self._over.wait(0.1):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.commands.add(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                except OSError:
                    continue  # it has ended meanwhile


@pytest.fixture
def cage(tmp_path: Path, home: Path) -> Iterator[Cage]:
    """An index, a release in ``dist``, and a configuration."""
    for name in ("work", "secrets"):
        (tmp_path / name).mkdir()
    make_wheel(tmp_path / "work" / "dist", "sample", "1.0")
    make_sdist(tmp_path / "work" / "dist", "sample", "1.0")
    with run_trusting_index() as index:
        made = Cage(index, tmp_path / "work", tmp_path / "secrets", home)
        made.configure()
        yield made


def by_config_env(cage: Cage) -> None:
    cage.env["SECRET"] = cage.make("env")
    cage.remote = 'username = "ci-env"\npassword = { env = "SECRET" }'
    cage.configure()


def by_config_file(cage: Cage) -> None:
    cage.write(cage.secrets / "token", cage.make("file") + "\n")
    cage.remote = f'username = "ci-file"\npassword = {{ file = "{cage.secrets / "token"}" }}'
    cage.configure()


def by_config_command(cage: Cage) -> None:
    cage.write(cage.secrets / "token", cage.make("command"))
    read = f"import sys, time; time.sleep(0.2); print(open({str(cage.secrets / 'token')!r}).read())"
    cage.remote = (
        f'username = "ci-command"\npassword = {{ command = ["{sys.executable}", "-c", """{read}"""] }}'
    )
    cage.configure()


def by_config_keyring(cage: Cage) -> None:
    by_keyring(cage, service="company", place="config-keyring")
    cage.remote = (
        'username = "ci-config-keyring"\npassword = { keyring = "company", username = "ci-config-keyring" }'
    )
    cage.configure()


def by_own_variables(cage: Cage) -> None:
    cage.env |= {"WHEELRELAY_COMPANY_USERNAME": "ci-own", "WHEELRELAY_COMPANY_PASSWORD": cage.make("own")}


def by_twine_variables(cage: Cage) -> None:
    cage.env |= {"TWINE_REPOSITORY": "company", "TWINE_USERNAME": "ci-twine"}
    cage.env["TWINE_PASSWORD"] = cage.make("twine")


def by_pypirc(cage: Cage) -> None:
    cage.write(
        cage.home / ".pypirc",
        f"[distutils]\nindex-servers = warehouse\n[warehouse]\nrepository = {cage.index.upload_url}\n"
        f"username = ci-pypirc\npassword = {cage.make('pypirc')}\n",
    )


def by_keyring(cage: Cage, service: str = "", place: str = "keyring") -> None:
    path = cage.secrets / "keyring.json"
    held = json.loads(path.read_text()) if path.exists() else {}
    held[service or cage.index.upload_url] = {f"ci-{place}": cage.make(place)}
    cage.write(path, json.dumps(held))
    cage.env["FILE_KEYRING"] = str(cage.secrets / "keyring.json")
    cage.env["PYTHON_KEYRING_BACKEND"] = "tests.servers.file_keyring.Keyring"


def by_netrc(cage: Cage) -> None:
    cage.write(cage.home / ".netrc", f"machine 127.0.0.1 login ci-netrc password {cage.make('netrc')}\n")


def by_trusted_publishing(cage: Cage) -> None:
    cage.env |= cage.index.github()
    cage.remote += f'\ntrusted_publishing = true\naudience = "{AUDIENCE}"'
    cage.configure()


PLACES: tuple[Callable[[Cage], None], ...] = (
    *(by_config_env, by_config_file, by_config_command, by_config_keyring, by_own_variables),
    *(by_twine_variables, by_pypirc, by_keyring, by_netrc, by_trusted_publishing),
)


@pytest.mark.parametrize("place", PLACES)
def test_a_release_shows_nothing_of_the_credentials_that_it_goes_up_with(
    cage: Cage, place: Callable[[Cage], None]
) -> None:
    place(cage)
    receipt = ("--receipt", "receipt.json", "--sums", "SHA256SUMS")
    ran = cage.run("relay", "release", "--yes", *receipt, *LOUD)
    assert ran.code == 0, ran.said
    assert "Credentials for 'company'" in ran.said
    assert cage.logins() == set(cage.canaries.values() or cage.index.tokens)
    assert (cage.work / "receipt.json").is_file()


@pytest.mark.parametrize(
    "place", [by_config_command, by_own_variables, by_pypirc, by_netrc, by_trusted_publishing]
)
def test_nor_does_one_that_is_refused_by_an_index_that_repeats_all_that_it_hears(
    cage: Cage, place: Callable[[Cage], None]
) -> None:
    place(cage)
    cage.index.status_for_bad_tokens, cage.index.echoes = 401, True
    cage.index.accounts = {}
    cage.index.publisher = "somebody/else"
    ran = cage.run("relay", "release", "--yes", "--json", "--receipt", "receipt.json", *LOUD)
    assert ran.code == 1
    assert "***" in ran.said
    assert cage.index.files == {}


def all_places(cage: Cage) -> None:
    """A canary in every place at once; the configuration's is used."""
    for place in PLACES:
        place(cage)


COMMANDS = {
    "backends": (0, ()),
    "check": (0, ("dist",)),
    "completion": (0, ("bash",)),
    "config check": (0, ()),
    "config schema": (0, ()),
    "config show": (0, ()),
    "index": (0, ("store",)),
    "init": (2, ("--to", "company")),  # there is a configuration; see below for where there is none
    "list": (0, ("company", "--json")),
    "plan": (0, ("release", "--json")),
    "prune": (0, ("store",)),
    "push": (0, ("dist", "--to", "store")),
    "relay": (0, ("release", "--yes", "--json")),
    "remove": (0, ("store", "old-1.0-py3-none-any.whl")),
    "verify": (3, ("release",)),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_shows_anything(cage: Cage, command: str) -> None:
    all_places(cage)
    make_wheel(cage.work / "store", "old", "1.0")
    cage.index.take(next((cage.work / "dist").glob("*.whl")))
    code, arguments = COMMANDS[command]
    ran = cage.run(*command.split(), *arguments, *LOUD)
    assert ran.code == code, ran.said


@pytest.fixture(scope="module")
def echoes() -> Iterator[EchoingIndex]:
    """An index that repeats all that it is sent."""
    with run_echoing_index() as index:
        yield index


ASKING: dict[str, tuple[str, ...]] = {
    "list": ("list", "company", "sample"),
    "list json": ("list", "company", "sample", "--json"),
    "plan": ("plan", "release", "sample==1.0"),
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
def test_an_index_that_repeats_its_requests_everywhere_gets_nothing_shown(
    cage: Cage, echoes: EchoingIndex, place: str
) -> None:
    by_config_env(cage)
    keys = "".join(f'{key} = "{url}"\n' for key, url in echoes.addresses(place).items())
    cage.write(
        cage.work / "wheelrelay.toml",
        f'[remotes.company]\ntype = "index"\n{keys}{cage.remote}\n'
        '[remotes.store]\ntype = "directory"\npath = "store"\n'
        '[routes.release]\nsource = "./dist"\nsinks = ["company"]\n',
    )
    cage.env |= {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(cage.work / "summary.md")}
    cage.env |= {"GITHUB_OUTPUT": str(cage.work / "outputs")}
    echoes.requests.clear()
    said = "".join(cage.run(*arguments, *LOUD).said for arguments in ASKING.values())
    (secret,) = cage.canaries.values()
    sent = {request.headers.get("authorization", "") for request in echoes.requests}
    assert any(secret in base64.b64decode(one.removeprefix("Basic ")).decode() for one in sent), said


def test_all_commands_that_ask_an_index_are_asked_by_it() -> None:
    assert {arguments[0] for arguments in ASKING.values()} == {"list", "plan", "push", "relay", "verify"}
    assert set(COMMANDS) - {"list", "plan", "relay", "verify"} == {
        *("backends", "check", "completion", "config check", "config schema", "config show"),
        *("index", "init", "prune", "push", "remove"),  # of files on this machine, or in a container
    }


def test_a_configuration_is_begun_with_nothing_of_what_pypirc_holds(cage: Cage) -> None:
    all_places(cage)
    (cage.work / "wheelrelay.toml").unlink()
    ran = cage.run("init", "--from", "./dist", "--to", "warehouse", *LOUD)
    assert ran.code == 0, ran.said
    assert "warehouse" in (cage.work / "wheelrelay.toml").read_text()


@pytest.mark.parametrize("sign", ["GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD"])
@pytest.mark.parametrize("command", ["push", "relay"])
def test_no_ci_system_is_shown_anything(cage: Cage, command: str, sign: str) -> None:
    all_places(cage)
    cage.env |= {"GITHUB_ACTIONS": "", sign: "true"}
    for variable, name in (("GITHUB_STEP_SUMMARY", "summary.md"), ("GITHUB_OUTPUT", "outputs")):
        cage.env[variable] = str(cage.work / name)
    _, arguments = COMMANDS[command]
    ran = cage.run(command, *(one for one in arguments if one != "--json"), *LOUD)
    assert ran.code == 0, ran.said
    assert (cage.work / "summary.md").exists() is (sign == "GITHUB_ACTIONS")  # it has been searched


def test_wheel_uploader_shows_nothing(cage: Cage) -> None:
    by_pypirc(cage)
    page = cage.index.serve_folder(cage.work / "dist", "/wheels/")
    arguments = ("-r", "warehouse", "-u", page, "-w", "wheelhouse", "-t", "all", *LOUD, "sample", "1.0")
    (cage.work / "wheelhouse").mkdir()
    ran = cage.run(*arguments, program="wheel-uploader")
    assert ran.code == 0, ran.said
    assert cage.logins() == set(cage.canaries.values())


@pytest.mark.parametrize("place", PLACES)
def test_whoever_may_not_attest_is_told_without_credentials(
    cage: Cage, place: Callable[[Cage], None]
) -> None:
    place(cage)
    cage.remote += "\nattest = true"
    cage.configure()
    cage.env |= UNREACHABLE
    ran = cage.run("relay", "release", "--yes", "--json", "--receipt", "receipt.json", *LOUD)
    assert cage.index.uploads == []
    if place is by_trusted_publishing:
        assert (ran.code, len(cage.index.identities) > 1) == (1, True), ran.said
        assert "Sigstore" in ran.said
    else:
        assert ran.code == 2, ran.said
        assert "takes attestations only with credentials from trusted publishing" in ran.said


def test_attestations_that_come_with_files_go_up_with_nothing_shown(cage: Cage, tmp_path: Path) -> None:
    by_trusted_publishing(cage)
    sigstore = LocalSigstore()
    cage.index.trust_root = sigstore.write_trust_root(tmp_path)
    for path in list((cage.work / "dist").iterdir()):
        made = sigstore.attest(path.name, stage_path(path).sha256, Builder(repository="example/project"))
        path.with_name(f"{path.name}.publish.attestation").write_bytes(made)
    ran = cage.run("relay", "release", "--yes", "--receipt", "receipt.json", *LOUD)
    assert ran.code == 0, ran.said
    assert len(cage.index.attested) == 2


@pytest.mark.long
def test_the_demo_shows_nothing(cage: Cage) -> None:
    all_places(cage)
    cage.env |= UNREACHABLE  # samples take PyPI's place
    ran = cage.run("demo", *LOUD)
    assert ran.code == 0, ran.said


def literal_secret(cage: Cage) -> None:
    cage.remote = f'token = "{cage.make("literal")}"'
    cage.configure()


def secret_in_broken_toml(cage: Cage) -> None:
    cage.remote = f'token = "{cage.make("toml")}'
    cage.configure()


def secret_in_url(cage: Cage) -> None:
    address = cage.index.url.replace("//", f"//ci:{quote(cage.make('url'), safe='')}@")
    cage.configure(f'[remotes.other]\ntype = "index"\nurl = "{address}"\n')


def secret_in_source(cage: Cage) -> None:
    address = cage.index.url.replace("//", f"//ci:{cage.make('source')}@")
    cage.configure(f'[routes.other]\nsource = "{address}"\nsinks = ["store"]\n')


def secret_in_source_with_a_slash(cage: Cage) -> None:
    address = cage.index.url.replace("//", f"//{cage.make('slash')}@")
    cage.configure(f'[routes.other]\nsource = "{address}"\nsinks = ["store"]\n')


def secret_with_line_end(cage: Cage) -> None:
    cage.env["WHEELRELAY_COMPANY_TOKEN"] = cage.make("line-end") + "\n"


def secret_of_failing_command(cage: Cage) -> None:
    cage.write(cage.secrets / "token", cage.make("failing"))
    read = f"import sys; print(open({str(cage.secrets / 'token')!r}).read()); sys.exit(7)"
    cage.remote = f'token = {{ command = ["{sys.executable}", "-c", """{read}"""] }}'
    cage.configure()


def secret_in_what_a_failing_command_complains_of(cage: Cage) -> None:
    cage.write(cage.secrets / "token", cage.make("complaint"))
    read = f"import sys; sys.exit(open({str(cage.secrets / 'token')!r}).read())"
    cage.remote = f'token = {{ command = ["{sys.executable}", "-c", """{read}"""] }}'
    cage.configure()


def secret_that_is_no_text(cage: Cage) -> None:
    (cage.secrets / "token").write_bytes(cage.make("bytes").encode() + b"\xff")
    cage.remote = f'token = {{ file = "{cage.secrets / "token"}" }}'
    cage.configure()


def secret_in_malformed_pypirc(cage: Cage) -> None:
    cage.write(cage.home / ".pypirc", f"password = {cage.make('malformed')}\n")


def secret_in_address_in_pypirc(cage: Cage) -> None:
    address = cage.index.upload_url.replace("//", f"//ci:{cage.make('repository')}@")
    cage.write(cage.home / ".pypirc", f"[distutils]\nindex-servers = x\n[x]\nrepository = {address}\n")
    cage.configure('[routes.other]\nsource = "./dist"\nsinks = ["x"]\n')


def secret_in_malformed_netrc(cage: Cage) -> None:
    cage.index.status_for_bad_tokens = 401
    cage.write(cage.home / ".netrc", f"machine 127.0.0.1 login ci {cage.make('netrc')} password\n")


@pytest.mark.parametrize(
    "place",
    [
        *(literal_secret, secret_in_broken_toml, secret_in_url, secret_in_source, secret_with_line_end),
        *(secret_of_failing_command, secret_in_what_a_failing_command_complains_of),
        *(secret_that_is_no_text, secret_in_malformed_pypirc),
        *(secret_in_address_in_pypirc, secret_in_malformed_netrc),
    ],
)
def test_what_is_wrong_with_a_secret_is_told_without_it(cage: Cage, place: Callable[[Cage], None]) -> None:
    place(cage)
    (cage.work / "wheelrelay.toml").rename(cage.secrets / "wheelrelay.toml")  # it may hold the canary itself
    config = str(cage.secrets / "wheelrelay.toml")
    (cage.secrets / "dist").symlink_to(cage.work / "dist")
    ran = cage.run("relay", "release", "--yes", "--config", config, *LOUD)
    assert ran.code != 0
    assert "wheelrelay.errors." in ran.said
    assert cage.logins() == set()


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
def test_an_address_with_a_secret_is_refused_without_it(cage: Cage, option: str, address: str) -> None:
    other = "--to" if option == "--from" else "--from"
    command = (
        "relay",
        option,
        address.format(quote(cage.make("address"), safe="")),
        other,
        "./dist",
        "sample",
    )
    said = cage.run(*command, *LOUD).said
    assert "not belong in an address" in said


def test_the_search_sees_what_is_started() -> None:
    secret, started = canary("argument"), Started()
    with started:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.3)", secret], check=True)
    assert seen("\n".join(started.commands), [secret]) == [secret]


def test_the_search_finds_a_secret_in_every_disguise() -> None:
    secret = canary("any")
    for ahead in range(4):
        for behind in range(4):
            text = base64.b64encode(b"x" * ahead + secret.encode() + b"y" * behind).decode()
            assert seen(f"Authorization: Basic {text}", [secret]) == [secret]
    for text in disguises(secret):
        assert seen(f"a{text}b", [secret]) == [secret]
    assert seen(f"{secret[:9]}\n  {secret[9:]}", [secret]) == [secret]
    assert seen("nothing of the kind", [secret]) == []
