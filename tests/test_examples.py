"""The examples do what they say."""

import subprocess
import sys
from pathlib import Path

import pytest

from wheelrelay.config import load_config
from wheelrelay.testing.samples import make_sdist, make_wheel

EXAMPLES = Path(__file__).parent.parent / "examples"
TRANSFERS = sorted((EXAMPLES / "transfers").glob("*.toml"))


def run(folder: Path, script: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(script), *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_release_is_looked_at_and_moved_from_python(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    make_wheel(dist, "sample", "1.0")
    make_sdist(dist, "sample", "1.0")
    script = EXAMPLES / "python_api" / "move_a_release.py"
    first = run(tmp_path, script, "./dist", "./wheelhouse", "sample==1.0")
    assert "sample-1.0.tar.gz upload" in first
    assert "2 files are in place." in first
    assert sorted(path.name for path in (tmp_path / "wheelhouse").iterdir()) == [
        "sample-1.0-py3-none-any.whl",
        "sample-1.0.tar.gz",
    ]
    assert "Nothing is left to do." in run(tmp_path, script, "./dist", "./wheelhouse", "sample==1.0")


@pytest.mark.parametrize("path", TRANSFERS, ids=lambda path: path.stem)
def test_a_transfer_is_a_valid_configuration(path: Path) -> None:
    config = load_config(path)
    assert not config.broken
    assert config.remotes
    for name in config.routes:
        assert config.route(name).sinks


def test_there_are_transfers() -> None:
    assert len(TRANSFERS) >= 3
