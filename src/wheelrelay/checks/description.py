"""The check that an index can render the long description of a project."""

import io
import re
import threading
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec

from wheelrelay.checks.contract import Check, FileChecks, Profile, Violation
from wheelrelay.checks.distribution import Distribution
from wheelrelay.printable import printable

DESCRIPTION = Check(
    "metadata-description",
    "The description renders as its Description-Content-Type, which defaults to reStructuredText.",
    hint="Correct the markup (twine check DIST shows all errors), or correct Description-Content-Type.",
    profile=Profile.PYPI,
)
_docutils_lock = threading.Lock()
"""Docutils keeps global state, so only one thread may render at a time."""

_CACHE_SIZE = 8
"""Descriptions whose result is kept: the files of a release usually share one."""


def _find(distribution: Distribution) -> Iterator[Violation]:
    raw = distribution.metadata.raw if distribution.metadata else {}
    text = raw.get("description")
    content_type = (raw.get("description_content_type") or "text/x-rst").partition(";")[0].strip().lower()
    if not text:
        return
    if content_type == "text/x-rst":
        with _docutils_lock:
            problem = _rst_problem(text)
        if problem is not None:
            yield DESCRIPTION.violation(f"The description is not valid reStructuredText{problem}.")
    elif content_type == "text/markdown" and not _has_markdown_output(text):
        yield DESCRIPTION.violation("The description is Markdown that renders to an empty page.")


@lru_cache(_CACHE_SIZE)
def _rst_problem(text: str) -> str | None:
    """Return why a text does not render, as the end of a sentence; ``None`` if it does."""
    from readme_renderer.rst import render  # imports docutils

    warnings = io.StringIO()
    try:
        if render(text, stream=warnings) is not None:
            return None
    except RecursionError:
        return ": it is nested too deeply"
    first = re.search(r":(\d+): \(\w+/\d\) (.+)", warnings.getvalue())
    return f": line {first[1]}: {printable(first[2].rstrip('.'))}" if first else ""


@lru_cache(_CACHE_SIZE)
def _has_markdown_output(text: str) -> bool:
    """Return whether a text renders to anything; link definitions and unused footnotes do not."""
    if find_spec("comrak") is None:  # some systems have no wheel of it
        return bool(text.strip())
    from readme_renderer.markdown import variants

    return bool(variants["GFM"](text))


CHECKS = FileChecks((DESCRIPTION,), _find)
