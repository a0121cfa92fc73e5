"""The benchmark runs, in small, and writes what it shows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent.parent


def test_a_small_run_measures_speed_and_memory(tmp_path: Path) -> None:
    small = ["--wheels", "2", "--megabytes", "1", "--rounds", "1", "--large", "2"]
    result = tmp_path / "result.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *small, "--result", str(result)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    speed, memory = json.loads(result.read_text())["lines"]
    assert speed["work"] in done.stdout
    assert speed["ratio"] == speed["ours"] / speed["peer"]
    assert memory["unit"] == "MB"
    assert 20 < memory["ours"] < 200
