"""The benchmark runs, and writes what it shows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


def test_lines_are_measured_beside_their_peers(tmp_path):
    result = tmp_path / "result.json"
    command = [sys.executable, "-m", "tests.benchmarks", "--small", "--runs", "1", "--only", "P2", "P4"]
    done = subprocess.run(
        [*command, "--result", str(result)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(result.read_text())
    plain, encrypted, again = document["results"]
    for line in (plain, encrypted, again):
        row = line["rows"][0]
        assert row["work"] in done.stdout
        assert row["ratio"] == row["ours"] / row["theirs"]
        assert {"wheelrelay", row["peer"]} <= set(line["runs"])
    assert again["rows"][1]["ours"] >= 1
    assert {"twine", "uv"} <= set(document["peers"])
