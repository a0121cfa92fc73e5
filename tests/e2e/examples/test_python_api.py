"""The Python scripts among the examples work, and need only the public names of the package."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.servers.process import script

import wheelrelay
from wheelrelay.testing.samples import make_sdist, make_wheel

SCRIPTS = Path(__file__).parents[3] / "examples" / "python_api"
FILES = ["sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"]


@pytest.fixture
def work(tmp_path):
    """Return a folder with a release in ``dist``."""
    make_wheel(tmp_path / "dist", "sample", "1.0")
    make_sdist(tmp_path / "dist", "sample", "1.0")
    return tmp_path


def run(folder, name, *arguments, **env):
    """Run a script in a folder, without a terminal."""
    return subprocess.run(
        [sys.executable, str(SCRIPTS / name), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **env},
    )


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.name)
def test_imports_only_public_names(path):
    for statement in ast.walk(ast.parse(path.read_text())):
        if isinstance(statement, ast.ImportFrom) and str(statement.module).startswith("wheelrelay"):
            assert statement.module == "wheelrelay"
            assert {name.name for name in statement.names} <= set(wheelrelay.__all__)


@pytest.mark.long
def test_passes_mypy_in_strict_mode(tmp_path):
    command = [script("mypy"), "--strict", "--config-file", os.devnull, "--cache-dir", str(tmp_path)]
    done = subprocess.run([*command, *map(str, SCRIPTS.glob("*.py"))], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


class TestPublish:
    WORDS = ("publish.py", "./dist", "./wheelhouse", "sample==1.0")

    def test_publishes_once(self, work):
        first = run(work, *self.WORDS)
        assert first.returncode == 0, first.stderr
        assert "./wheelhouse: 2 files to upload" in first.stdout
        assert f"published: {FILES[0]}" in first.stdout
        assert "2 published, 0 skipped" in first.stdout
        assert names(work / "wheelhouse") == FILES
        assert "0 published, 2 skipped" in run(work, *self.WORDS).stdout

    def test_refuses_a_conflict(self, work):
        make_wheel(work / "wheelhouse", "sample", "1.0", payload=b"other bytes")
        done = run(work, *self.WORDS)
        assert done.returncode == 3
        assert done.stderr.startswith("refused because of ")
        assert names(work / "wheelhouse") == FILES[:1]

    def test_reports_a_damaged_file(self, work):
        (work / "dist" / FILES[0]).write_bytes(b"no wheel at all")
        done = run(work, *self.WORDS)
        assert done.returncode == 1
        assert FILES[0] in done.stderr
        assert "Traceback" not in done.stderr
        assert names(work / "wheelhouse") == []

    def test_reports_other_errors_with_a_hint(self, work):
        done = run(work, "publish.py", "./dist", "./wheelhouse", "smaple==1.0")
        assert done.returncode == 1
        assert "sample" in done.stderr


class TestPromote:
    WORDS = ("promote.py", "./dist", "./production", "sample==1.0")

    def test_publishes_after_approval(self, work):
        done = run(work, *self.WORDS, APPROVED_BY="Ada")
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert lines.index("approved by Ada") < lines.index(f"published: {FILES[0]}")
        assert lines[-1] == "2 files are published at ./production."
        assert names(work / "production") == FILES

    def test_publishes_nothing_without_approval(self, work):
        done = run(work, *self.WORDS)
        assert done.returncode == 1
        assert f"{FILES[1]}: upload" in done.stdout
        assert "Nothing was published" in done.stderr
        assert names(work / "production") == []


class TestReport:
    @pytest.fixture
    def published(self, work, pypi):
        """Return an index that has the release."""
        (work / "wheelrelay.toml").write_text(f"""
[remotes.index]
type = "index"
url = "{pypi.simple_url}"
upload_url = "{pypi.upload_url}"
token = {{ env = "INDEX_TOKEN" }}
""")
        os.environ["INDEX_TOKEN"] = pypi.accounts["__token__"]
        try:
            index = wheelrelay.load_config(work / "wheelrelay.toml").remote("index")
            assert wheelrelay.push([work / "dist"], index).is_complete
        finally:
            del os.environ["INDEX_TOKEN"]
        return pypi

    def test_reports_verified_files(self, work, published):
        done = run(work, "report.py", f"index+{published.simple_url}", "sample==1.0")
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("| verified |") == 2
        assert "2 files, 0 failed verification." in done.stdout

    def test_reports_a_changed_file(self, work, published):
        published.give_out(FILES[0], b"other bytes")
        done = run(work, "report.py", f"index+{published.simple_url}", "sample==1.0")
        assert done.returncode == 1
        [row] = [line for line in done.stdout.splitlines() if line.startswith(f"| {FILES[0]}")]
        assert "verified" not in row
        assert "2 files, 1 failed verification." in done.stdout
