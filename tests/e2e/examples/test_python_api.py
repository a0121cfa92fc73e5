"""The scripts among the examples do what they say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.servers.pypi import PyPI

import wheelrelay
from wheelrelay.testing.samples import make_sdist, make_wheel

SCRIPTS = Path(__file__).parents[3] / "examples" / "python_api"
FILES = ["sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with a release in ``dist``."""
    make_wheel(tmp_path / "dist", "sample", "1.0")
    make_sdist(tmp_path / "dist", "sample", "1.0")
    return tmp_path


def run(folder: Path, script: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, without a terminal."""
    return subprocess.run(
        [sys.executable, str(SCRIPTS / script), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **env},
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


class TestRelease:
    def test_it_is_looked_at_and_moved_and_then_nothing_is_left_to_do(self, work: Path) -> None:
        words = ("release.py", "./dist", "./wheelhouse", "sample==1.0")
        first = run(work, *words)
        assert "sample-1.0.tar.gz upload" in first.stdout
        assert "2 files are in place." in first.stdout
        assert names(work / "wheelhouse") == FILES
        assert "Nothing is left to do." in run(work, *words).stdout

    def test_what_is_wrong_is_told_and_nothing_is_moved(self, work: Path) -> None:
        make_wheel(work / "wheelhouse", "sample", "1.0", payload=b"other bytes")
        ended = run(work, "release.py", "./dist", "./wheelhouse", "sample==1.0")
        assert ended.returncode == 1
        assert f"{FILES[0]} conflict" in ended.stdout
        assert ended.stderr.startswith("Nothing was published: ")
        assert names(work / "wheelhouse") == FILES[:1]

    def test_what_goes_wrong_is_told_in_a_sentence(self, work: Path) -> None:
        (work / "dist" / FILES[0]).write_bytes(b"no wheel at all")
        ended = run(work, "release.py", "./dist", "./wheelhouse", "sample==1.0")
        assert ended.returncode == 1
        assert FILES[0] in ended.stderr
        assert "Traceback" not in ended.stderr
        assert names(work / "wheelhouse") == []


class TestPromote:
    WORDS = ("promote.py", "./dist", "./production", "sample==1.0")

    def test_with_an_approval_each_file_is_told_as_it_arrives(self, work: Path) -> None:
        ended = run(work, *self.WORDS, APPROVED_BY="Ada")
        assert ended.returncode == 0, ended.stderr
        told = ended.stdout.splitlines()
        assert told.index("approved by Ada") < told.index(f"published: {FILES[0]}")
        assert told[-1] == "2 files are in place at ./production."
        assert names(work / "production") == FILES

    def test_without_one_nothing_is_published(self, work: Path) -> None:
        ended = run(work, *self.WORDS)
        assert ended.returncode == 1
        assert f"{FILES[1]}: upload" in ended.stdout
        assert "Nothing was published" in ended.stderr
        assert names(work / "production") == []


class TestReport:
    @pytest.fixture
    def published(self, work: Path, pypi: PyPI) -> PyPI:
        """An index that has the release."""
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

    def test_what_is_right_is_said_to_be(self, work: Path, published: PyPI) -> None:
        ended = run(work, "report.py", f"index+{published.simple_url}", "sample==1.0")
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.count("| as it should be |") == 2
        assert "2 files, 0 not as they should be." in ended.stdout

    def test_what_is_not_is_told_with_the_file(self, work: Path, published: PyPI) -> None:
        published.give_out(FILES[0], b"other bytes")
        ended = run(work, "report.py", f"index+{published.simple_url}", "sample==1.0")
        assert ended.returncode == 1
        [row] = [line for line in ended.stdout.splitlines() if line.startswith(f"| {FILES[0]}")]
        assert "as it should be" not in row
        assert "2 files, 1 not as they should be." in ended.stdout
