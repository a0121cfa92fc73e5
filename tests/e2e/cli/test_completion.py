"""What shells complete, asked of the shells themselves."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.cli.terminal import on_terminal

BASH = shutil.which("bash")
FISH = shutil.which("fish")
ZSH = shutil.which("zsh")

ASK_BASH = """
eval "$(wheelrelay completion bash)"
compopt() { :; }  # only a completion that is under way may call it
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_${1//-/_}_completion "$1"
printf '%s\\n' "${COMPREPLY[@]}"
"""

CONFIG = """
[remotes.staging]
type = "carrier-pigeon"
[remotes.company]
type = "index"
url = "https://packages.example.org/simple/"
[routes.release]
source = "staging"
sinks = ["company"]
[routes.mirror]
source = "pypi"
sinks = ["company"]
"""

Complete = Callable[..., list[str]]


@pytest.fixture
def project(here, monkeypatch):
    """A folder with a configuration, in a shell that finds the commands; nothing outside can be reached."""
    (here / "wheelrelay.toml").write_text(CONFIG)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for scheme in ("HTTP", "HTTPS"):
        monkeypatch.setenv(f"{scheme}_PROXY", "http://127.0.0.1:9/")
    return here


@pytest.fixture
def bash(project):
    """Completes the last word as bash would."""
    if BASH is None:
        pytest.skip("there is no bash here")
    shell = BASH

    def complete(*words):
        command = [shell, "--norc", "--noprofile", "-c", ASK_BASH, "bash", *words]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True, timeout=30)
        assert done.stderr == ""
        return done.stdout.split()

    return complete


class TestBash:
    def test_commands_are_completed(self, bash):
        assert bash("wheelrelay", "re") == ["receipt", "relay", "remove"]
        assert bash("wheelrelay", "config", "s") == ["schema", "show"]

    def test_options_and_their_values_are_completed(self, bash):
        assert bash("wheelrelay", "relay", "--wh") == ["--wheels"]
        assert bash("wheelrelay", "relay", "--mode", "m") == ["mirror"]
        assert bash("wheel-uploader", "--wheel-t") == ["--wheel-type"]

    def test_configured_remotes_are_completed(self, bash):
        everywhere = ["company", "pypi", "staging", "testpypi"]
        assert bash("wheelrelay", "list", "") == everywhere
        assert bash("wheelrelay", "push", "dist", "--to", "") == everywhere
        assert bash("wheelrelay", "relay", "--from", "sta") == ["staging"]

    def test_routes_are_completed_as_first_word(self, bash):
        assert bash("wheelrelay", "relay", "") == ["mirror", "release"]
        assert bash("wheelrelay", "relay", "release", "") == []
        assert bash("wheelrelay", "plan", "--from", "./dist", "--to", "pypi", "") == []
        assert bash("wheelrelay", "verify", "") == [
            "mirror",
            "release",
            "company",
            "pypi",
            "staging",
            "testpypi",
        ]

    def test_named_configuration_is_used(self, bash, project):
        (project / "other.toml").write_text('[remotes.elsewhere]\ntype = "index"\n')
        assert bash("wheelrelay", "list", "--config", "other.toml", "e") == ["elsewhere"]

    def test_broken_configuration_is_ignored(self, bash, project):
        (project / "wheelrelay.toml").write_text("[remotes")
        assert bash("wheelrelay", "list", "p") == ["pypi"]


def test_completion_imports_nothing_heavy(project):
    env = {"_WHEELRELAY_COMPLETE": "bash_complete", "COMP_WORDS": "wheelrelay list ", "COMP_CWORD": "2"}
    command = [sys.executable, "-X", "importtime", "-m", "wheelrelay"]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=True)
    assert "plain,staging" in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "wheelrelay.cli" in imported
    assert not imported & {"pydantic", "requests", "twine", "socket", "fsspec", "rich"}


@pytest.mark.skipif(FISH is None, reason="there is no fish here")
def test_fish_completes_with_descriptions(project):
    words = ("wheelrelay list s", "wheelrelay relay r")
    ask = "; ".join(["wheelrelay completion fish | source", *(f"complete -C '{line}'" for line in words)])
    done = subprocess.run(
        [str(FISH), "--no-config", "-c", ask], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["staging\tremote", "release\troute"]


@pytest.mark.skipif(ZSH is None, reason="there is no zsh here")
def test_zsh_completes_on_a_terminal(project):
    start = 'autoload -U compinit; compinit -u -D; eval "$(wheelrelay completion zsh)"; echo rea""dy\n'
    with on_terminal([str(ZSH), "-f", "-i"], project) as terminal:
        terminal.type(start, until="\nready")
        assert "relay release" in terminal.type("wheelrelay relay rel\t", until="relay release")
