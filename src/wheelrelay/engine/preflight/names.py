"""PyPI's rules for the names of new projects, as far as they can be checked from outside.

PyPI refuses the name of a module of the standard library, and a name that could be confused with that of an
existing project. It also refuses names that its administrators prohibit (PEP 541) and names in reserved
namespaces (PEP 752), which it does not publish.
"""

import re
import sys
from collections.abc import Iterable

from packaging.utils import NormalizedName, canonicalize_name

_SEPARATORS = re.compile(r"[._-]")

_LOOKALIKES = str.maketrans("lio", "110")


def confusable_form(name: str) -> str:
    """Return the form in which names that PyPI considers confusable are equal (``ultranormalize_name``).

    >>> confusable_form("Pi-l1ow") == confusable_form("PILLOW")
    True
    """
    return _SEPARATORS.sub("", name).lower().translate(_LOOKALIKES)


def confusable_with(project: NormalizedName, names: Iterable[NormalizedName]) -> NormalizedName | None:
    """Return an existing project whose name PyPI considers confusable with a new one, if there is one."""
    form = confusable_form(project)
    return next((name for name in names if name != project and confusable_form(name) == form), None)


def is_standard_library(project: NormalizedName) -> bool:
    """Return whether a module of the standard library of this Python has the name."""
    return project in {canonicalize_name(name.strip("_")) for name in sys.stdlib_module_names}
