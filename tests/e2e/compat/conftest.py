"""Fixtures for the historic command line: run it, a page that lists wheels, and a ``~/.pypirc``."""

import logging
import signal
from collections.abc import Callable

import pytest
from tests.e2e.cli.conftest import Ended

from wheelrelay.compat import main

WheelUploader = Callable[..., Ended]


@pytest.fixture
def wheel_uploader(capsys, tmp_path, monkeypatch):
    """The command, run within this process in an empty folder; what it does to the process is undone."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    logger, handler = logging.getLogger("wheelrelay"), signal.getsignal(signal.SIGTERM)
    handlers, level = list(logger.handlers), logger.level

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    yield run
    signal.signal(signal.SIGTERM, handler)
    logger.handlers[:] = handlers
    logger.setLevel(level)  # not by assignment: loggers remember what they are enabled for


@pytest.fixture
def pypirc(home, pypiserver):
    """A ``~/.pypirc`` whose section ``warehouse`` is a real index: `pypiserver`."""
    path = home / ".pypirc"
    path.write_text(
        f"""\
[distutils]
index-servers =
    pypi
    warehouse

[pypi]
username:your_user_name
password:your_password

[warehouse]
repository: {pypiserver.upload_url}
username: {pypiserver.username}
password: {pypiserver.password}
"""
    )
    path.chmod(0o600)
    return path
