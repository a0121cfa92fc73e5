"""Environments that an installer may run in, and which of them a release has a wheel for.

An environment is an interpreter and a platform. Both are derived from the tags of wheels (PEP 425), and
`packaging.tags` decides which wheels an installer there accepts: a wheel for a stable ABI counts for later
CPythons, a ``universal2`` wheel for both architectures of macOS, a ``manylinux_2_17`` wheel for all systems
with glibc 2.17 or later, and ``py3-none-any`` for all.

>>> from wheelrelay.filenames import dist_file
>>> before = [dist_file("sample-1.0-cp313-cp313-manylinux_2_17_x86_64.whl")]
>>> after = [dist_file("sample-1.1-cp313-cp313-manylinux_2_28_x86_64.whl")]
>>> for change in compare_coverage(before, after).raised:
...     print(change.interpreter.label, change.platform, change.before.minimum, change.after.minimum)
CPython 3.13 manylinux x86_64 glibc 2.17 glibc 2.28
"""

from wheelrelay.environments.coverage import (
    Choice,
    CoverageChange,
    CoverageComparison,
    Environment,
    Support,
    compare_coverage,
    coverage_of,
    earlier_release,
)
from wheelrelay.environments.interpreters import NEWEST_CPYTHON, Interpreter, interpreters_of
from wheelrelay.environments.platforms import Platform, platforms_of
from wheelrelay.environments.wording import describe_environments

__all__ = [
    "NEWEST_CPYTHON",
    "Choice",
    "CoverageChange",
    "CoverageComparison",
    "Environment",
    "Interpreter",
    "Platform",
    "Support",
    "compare_coverage",
    "coverage_of",
    "describe_environments",
    "earlier_release",
    "interpreters_of",
    "platforms_of",
]
