"""The check that the long description renders, as an index would render it."""

import io
import re
import threading
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec

from wheelrelay.checks.check import Check, Profile, Violation, shown
from wheelrelay.checks.contract import FileChecks
from wheelrelay.checks.distribution import Distribution

DESCRIPTION = Check(
    "metadata-description",
    "The description renders as what its content type says; without one, as reStructuredText.",
    hint="Correct the markup, or declare the right Description-Content-Type.",
    profile=Profile.PYPI,
)
_docutils = threading.Lock()
"""Docutils keeps state that threads share."""


def find(distribution: Distribution) -> Iterator[Violation]:
    """Find a description that does not render."""
    raw = distribution.metadata.raw if distribution.metadata else {}
    text = raw.get("description")
    kind = (raw.get("description_content_type") or "text/x-rst").partition(";")[0].strip().lower()
    if not text:
        return
    if kind == "text/x-rst":
        with _docutils:
            problem = _rst_problem(text)
        if problem is not None:
            yield DESCRIPTION.violation(f"The description is not valid reStructuredText{problem}.")
    elif kind == "text/markdown" and not _renders_markdown(text):
        yield DESCRIPTION.violation("The description is Markdown that renders to nothing.")


@lru_cache(maxsize=8)
def _rst_problem(text: str) -> str | None:
    """Why it does not render, as the end of a sentence; the wheels of a release have it in common."""
    from readme_renderer.rst import render

    warnings = io.StringIO()
    try:
        if render(text, stream=warnings) is not None:
            return None
    except RecursionError:
        return ": it is nested too deeply"
    first = re.search(r":(\d+): \(\w+/\d\) (.+)", warnings.getvalue())
    return f": line {first[1]}: {shown(first[2].rstrip('.'))}" if first else ""


@lru_cache(maxsize=8)
def _renders_markdown(text: str) -> bool:
    """Whether there is something to show; definitions of links and of unused footnotes show nothing."""
    if find_spec("comrak") is None:  # there is no wheel of it for every system
        return bool(text.strip())
    from readme_renderer.markdown import variants

    return bool(variants["GFM"](text))


DESCRIPTIONS = FileChecks((DESCRIPTION,), find)
