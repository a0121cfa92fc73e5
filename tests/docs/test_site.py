"""The documentation builds without warnings."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built documentation."""
    return build("html", tmp_path_factory.mktemp("site"))


def build(builder, folder):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", builder, "docs", str(folder)]
    built = subprocess.run(
        [*command, "-d", str(folder.parent / "doctrees")], cwd=ROOT, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_every_command_has_a_manual_page(site, tmp_path_factory):
    from wheelrelay.cli import COMMANDS

    folder = build("man", tmp_path_factory.mktemp("man"))
    assert {path.name for path in folder.glob("*.1")} == {
        "wheel-uploader.1",
        "wheelrelay.1",
        *(f"wheelrelay-{command}.1" for command in COMMANDS),
    }
    assert (
        ".SH EXAMPLES" in (folder / "wheelrelay-relay.1").read_text()
        or "Examples:" in (folder / "wheelrelay-relay.1").read_text()
    )


def test_every_check_has_an_anchor(site):
    from wheelrelay.checks import all_checks

    page = (site / "reference" / "checks.html").read_text(encoding="utf-8")
    assert [check.id for check in all_checks() if f'<section id="{check.id}">' not in page] == []
