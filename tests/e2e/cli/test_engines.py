"""The option ``--engine`` names a configured engine."""

import pytest

from wheelrelay.testing import make_wheel

PLUGIN = '''
from typing import Literal

from wheelrelay.config import EngineConfig
from wheelrelay.testing import ThreadEngine


class ThreadsConfig(EngineConfig):
    """Threads of this process."""

    type: Literal["threads-of-cli"] = "threads-of-cli"

    def open(self):
        return ThreadEngine(2)
'''

CONFIG = """
[remotes.here]
type = "directory"
path = "dist"

[remotes.there]
type = "directory"
path = "out"
pages = true

[routes.mirror]
source = "here"
sinks = ["there"]
mode = "mirror"

[engines.threads]
type = "threads-of-cli"

[engines.missing]
type = "spark"
"""


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """A configured mirror with an engine, whose plugin is installed."""
    site = tmp_path / "site"
    info = site / "threads_of_cli-2.5.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: threads-of-cli\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text(
        "[wheelrelay.engines]\nthreads-of-cli = threads_of_cli:ThreadsConfig\n"
    )
    (site / "threads_of_cli.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wheelrelay.toml").write_text(CONFIG)
    make_wheel(tmp_path / "dist", "sample")
    return tmp_path


def test_relay_uses_the_engine_and_the_receipt_has_its_version(wheelrelay, configured):
    ended = wheelrelay("relay", "mirror", "--engine", "threads", "--json")
    assert ended.code == 0
    assert '"threads-of-cli": "2.5"' in ended.out
    assert (configured / "out" / "sample-1.0-py3-none-any.whl").exists()
    assert (configured / "out" / "simple" / "sample" / "index.html").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("thread", "There is no engine 'thread'. Did you mean: threads?"),
        ("missing", "engines.missing: There is no engine of type 'spark'."),
    ],
)
def test_an_engine_that_is_not_there_is_an_error_of_usage(wheelrelay, configured, name, message):
    ended = wheelrelay("relay", "mirror", "--engine", name)
    assert ended.code == 2
    assert message in ended.err
    assert not (configured / "out").exists()


def test_config_check_reports_an_engine_that_is_not_installed(wheelrelay, configured):
    ended = wheelrelay("config", "check")
    assert ended.code == 2
    assert "There is no engine of type 'spark'." in ended.out
    text = CONFIG.replace('[engines.missing]\ntype = "spark"\n', "")
    (configured / "wheelrelay.toml").write_text(text)
    assert "2 remotes, 1 route, 1 engine" in wheelrelay("config", "check").out
    assert "threads-of-cli 2.5" in wheelrelay("backends").out
