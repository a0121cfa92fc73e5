"""The tour of the README runs as it is, typed into an empty folder."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8")
PUBLISHED = {
    "sample-1.0-py3-none-macosx_11_0_universal2.whl",
    "sample-1.0-py3-none-manylinux_2_17_aarch64.whl",
    "sample-1.0-py3-none-manylinux_2_17_x86_64.whl",
    "sample-1.0-py3-none-win_amd64.whl",
    "sample-1.0.tar.gz",
}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def commands():
    return [line.removeprefix("$ ") for line in "".join(blocks("console")).splitlines()]


@pytest.fixture
def bash(tmp_path):
    """A function that types lines into one shell, which starts in an empty folder."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": programs, "PIP_CONFIG_FILE": os.devnull}

    def type_in(lines):
        """Return the exit code of each line, and all output."""
        script = "".join(f'{line}\necho "exit code $?"\n' for line in lines)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc"],
            input=script,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return [
            int(code) for code in re.findall(r"^exit code (\d+)$", done.stdout, re.MULTILINE)
        ], done.stdout

    return type_in


def test_tour_publishes_a_release_after_it_was_refused(bash, tmp_path, monkeypatch):
    lines = commands()
    assert len([line for line in lines if line.startswith(("wheelrelay ", "pip "))]) == 10
    codes, output = bash(lines)
    refused = {"plan": lines.index("wheelrelay plan release 'sample==1.0'")}
    refused["relay"] = lines.index("wheelrelay relay release 'sample==1.0' --yes")
    assert codes == [3 if number in refused.values() else 0 for number in range(len(lines))], output
    assert "3 errors); nothing was published" in output
    assert "index: 5 published." in output
    assert "Nothing to do." in output
    assert "All files verified." in output
    index = {path.name for path in (tmp_path / "tour" / "index").glob("sample-*")}
    assert {name for name in index if not name.endswith(".metadata")} == PUBLISHED
    assert (tmp_path / "tour" / "receipt.json").is_file()
    assert (tmp_path / "tour" / "installed" / "sample").is_dir()

    monkeypatch.chdir(tmp_path / "tour")
    examples = doctest.DocTestParser().get_doctest(
        "\n".join(blocks("python")), {}, "README.md", str(README), 0
    )
    messages = []
    results = doctest.DocTestRunner().run(examples, out=messages.append)
    assert results.attempted == 4
    assert results.failed == 0, "".join(messages)


def test_readme_is_short():
    assert len(TEXT.splitlines()) <= 150


def test_pictures_exist_in_a_light_and_a_dark_version():
    pictures = re.findall(r'src(?:set)?="([^"]+)"', TEXT)
    assert sorted(Path(picture).stem.rpartition("-")[2] for picture in pictures) == ["dark", "light"]
    assert [picture for picture in pictures if not (README.parent / picture).is_file()] == []
