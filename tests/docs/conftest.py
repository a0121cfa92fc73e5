"""The built documentation."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A function that builds the documentation once in each form, and returns its folder."""
    folder, forms = tmp_path_factory.mktemp("documentation"), set()

    def build(form):
        if form not in forms:
            command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", form]
            command += ["-d", str(folder / "doctrees"), "docs", str(folder / form)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            forms.add(form)
        return folder / form

    return build
