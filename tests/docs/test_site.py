"""The documentation builds without warnings, as pages and as manual pages."""

import pytest

from wheelrelay.checks import all_checks
from wheelrelay.cli import COMMANDS

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("documentation"), pytest.mark.timeout(300)]


def test_every_check_has_an_anchor(built):
    page = (built("html") / "reference" / "checks.html").read_text(encoding="utf-8")
    assert [check.id for check in all_checks() if f'<section id="{check.id}">' not in page] == []


def test_every_command_has_a_manual_page(built):
    folder = built("man")
    expected = {"wheel-uploader.1", "wheelrelay.1", *(f"wheelrelay-{command}.1" for command in COMMANDS)}
    assert {path.name for path in folder.glob("*.1")} == expected
    assert "Publish a release completely, or not at all." in (folder / "wheelrelay-relay.1").read_text()
