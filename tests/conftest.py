"""Fixtures for all tests: real servers and an isolated environment."""

import gc
import logging
import os
import signal
import ssl

import pytest
import trustme

from tests.servers.gpg import run_gpg
from tests.servers.indexes import run_devpi, run_pypiserver
from tests.servers.pypi import run_pypi
from tests.servers.shared import group_by_server
from tests.servers.web import run_web
from wheelrelay.plugins import CHECK_GROUP, installed_plugins
from wheelrelay.redaction import clear_secrets


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(config, items):
    """Start each slow server in one process only."""
    if config.getoption("dist", "no") == "loadgroup":
        group_by_server(items)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """Leave the collected tests out of garbage collection, which would traverse them again and again."""
    gc.collect()
    gc.freeze()


FOREIGN = (
    *("AWS_", "WHEELRELAY_", "TWINE_", "NETRC", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("GITHUB_", "ACTIONS_", "GITLAB_CI", "CI_", "BUILDKITE", "CIRCLE", "GOOGLE_"),
    *("TF_BUILD", "BUILD_", "TRAVIS", "APPVEYOR", "JENKINS_", "GIT_COMMIT"),
    *("XDG_CACHE_HOME", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR"),
)
"""Prefixes of environment variables that would influence tests."""


@pytest.fixture(scope="session", autouse=True)
def _interruptible():
    """Restore Ctrl-C, which shells disable for background jobs and the processes that these start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty home folder and no settings of the developer, such as ``.pypirc`` or ``.netrc``."""
    for name in os.environ:
        if name.upper().startswith(FOREIGN):
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return folder


@pytest.fixture(autouse=True)
def log():
    """Restore the logger and forget registered secrets after each test."""
    logger = logging.getLogger("wheelrelay")
    handlers, level = list(logger.handlers), logger.level
    yield
    clear_secrets()
    logger.handlers[:] = handlers
    logger.setLevel(level)  # assignment would keep the cache of enabled levels


class _Failures(logging.Handler):
    """Collects the families of checks that raised an exception."""

    def __init__(self):
        super().__init__()
        self.names: list[str] = []

    def emit(self, record):
        if record.exc_info and isinstance(record.args, tuple):
            self.names += map(str, record.args)


@pytest.fixture(autouse=True)
def _no_check_fails():
    """Fail the test if one of wheelrelay's own checks raised an exception."""
    logger, failures = logging.getLogger("wheelrelay.checks.registry"), _Failures()
    logger.addHandler(failures)
    logger.setLevel(logging.DEBUG)
    yield
    logger.removeHandler(failures)
    logger.setLevel(logging.NOTSET)
    ours = {name for name, plugin in installed_plugins(CHECK_GROUP).items() if plugin.package == "wheelrelay"}
    assert ours.isdisjoint(failures.names), "A check raised an exception."


@pytest.fixture(scope="session")
def _pypiserver(tmp_path_factory):
    with run_pypiserver(tmp_path_factory.mktemp("pypiserver"), username="ci", password="s3cret") as server:
        yield server


@pytest.fixture
def pypiserver(_pypiserver):
    """An empty pypiserver that requires a user name and a password for uploads."""
    return _pypiserver.emptied()


@pytest.fixture(scope="session")
def _open_pypiserver(tmp_path_factory):
    with run_pypiserver(tmp_path_factory.mktemp("pypiserver")) as server:
        yield server


@pytest.fixture
def open_pypiserver(_open_pypiserver):
    """An empty pypiserver that accepts anonymous uploads."""
    return _open_pypiserver.emptied()


@pytest.fixture(scope="session")
def devpi_server(tmp_path_factory):
    """A devpi-server without indexes; most tests need `devpi`."""
    with run_devpi(tmp_path_factory.mktemp("devpi")) as server:
        yield server


@pytest.fixture
def devpi(devpi_server):
    """An empty, non-volatile index of a new user on devpi-server."""
    return devpi_server.new_index()


@pytest.fixture
def web():
    """A web server with configurable faults."""
    with run_web() as server:
        yield server


@pytest.fixture(scope="session")
def authority():
    """A certificate authority that clients do not trust by default."""
    return trustme.CA()


@pytest.fixture
def ca_bundle(authority, tmp_path_factory):
    """A CA bundle with which clients trust `tls_web`."""
    path = tmp_path_factory.mktemp("ca") / "bundle.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def tls_web(authority):
    """A web server with TLS and a certificate from `authority`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    with run_web(tls=context) as server:
        yield server


@pytest.fixture
def pypi():
    """An empty index that validates uploads like PyPI, with configurable faults."""
    with run_pypi() as index:
        yield index


@pytest.fixture
def keyring(monkeypatch):
    """An empty gpg keyring, used by this process and its subprocesses."""
    with run_gpg() as made:
        monkeypatch.setenv("GNUPGHOME", str(made.home))
        monkeypatch.delenv("GPG_TTY", raising=False)
        yield made
