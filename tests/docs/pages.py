"""The pages of the documentation, and the code in them."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GENERATED = ("reference/api/", "reference/commands/", "reference/packages/", "reference/remotes/")


def name_of(path):
    """Return the path of a page relative to the documentation."""
    return path.relative_to(DOCS).as_posix()


PAGES = sorted(name for path in DOCS.rglob("*.md") if not (name := name_of(path)).startswith(GENERATED))
"""The pages that are written by hand."""


def blocks(page, language):
    """Return the code blocks of a page in one language."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def pages_with(language):
    """Return the pages that have code in one language."""
    return [page for page in PAGES if blocks(page, language)]


def commands(page, *languages):
    """Return the command lines of wheelrelay in the shell code of a page, split into words."""
    lines = "".join(block for language in languages for block in blocks(page, language)).splitlines()
    texts = [line.removeprefix("$ ") for line in lines]
    return [shlex.split(text, comments=True) for text in texts if text.startswith("wheelrelay ")]
