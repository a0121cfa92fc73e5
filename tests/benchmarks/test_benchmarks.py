"""The benchmark runs, and writes what it shows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


def test_a_line_is_measured_beside_its_peers(tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    command = [sys.executable, "-m", "tests.benchmarks", "--only", "P2", "--runs", "1"]
    done = subprocess.run(
        [*command, "--result", str(result)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    plain, encrypted = json.loads(result.read_text())["results"]
    for line in (plain, encrypted):
        row = line["rows"][0]
        assert row["work"] in done.stdout
        assert row["ratio"] == row["ours"] / row["theirs"]
        assert {"wheelrelay", "urllib + twine"} < set(line["runs"])
