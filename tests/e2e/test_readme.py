"""The examples of the README run in their order, with a real index instead of the example's."""

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from wheelrelay.testing.samples import make_sdist, make_wheel

README = Path(__file__).parents[2] / "README.md"
TAGS = ("cp312-cp312-manylinux_2_17_x86_64", "cp313-cp313-manylinux_2_17_x86_64", "cp313-cp313-win_amd64")


def blocks(language):
    return re.findall(
        rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.fixture
def project(tmp_path, monkeypatch, pypiserver):
    """Return a folder with a release in ``dist``, the README's configuration, and a real index."""
    dist = tmp_path / "dist"
    dist.mkdir()
    for tag in TAGS:
        make_wheel(dist, "sample", "1.0", tag)
    make_sdist(dist, "sample", "1.0")
    (config,) = (block for block in blocks("toml") if "[routes.release]" in block)
    config = config.replace("https://packages.example.org/simple/", pypiserver.simple_url)
    config = config.replace("https://packages.example.org/", pypiserver.upload_url)
    config = config.replace('"ci"', f'"{pypiserver.username}"')
    (tmp_path / "wheelrelay.toml").write_text(config)
    monkeypatch.setenv("COMPANY_PASSWORD", pypiserver.password)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands():
    lines = "".join(blocks("console")).splitlines()
    return [
        shlex.split(line.removeprefix("$ wheelrelay ")) for line in lines if line.startswith("$ wheelrelay ")
    ]


def test_commands_succeed(project):
    assert len(commands()) >= 8
    outputs = []
    for command in commands():
        done = subprocess.run(
            [sys.executable, "-m", "wheelrelay", *command],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        outputs.append(done.stderr)
    assert any("Nothing to do" in output for output in outputs)
    assert (project / "receipt.json").is_file()
    assert len(list((project / "wheelhouse").iterdir())) == 4


def test_python_examples_return_the_shown_values(project):
    text = "\n".join(blocks("python"))
    examples = doctest.DocTestParser().get_doctest(text, {}, "README.md", str(README), 0)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    messages = []
    results = doctest.DocTestRunner(optionflags=flags).run(examples, out=messages.append)
    assert results.attempted >= 8
    assert results.failed == 0, "".join(messages)


def test_names_every_command():
    from wheelrelay.cli import COMMANDS

    text = README.read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"wheelrelay {name}" not in text] == []
