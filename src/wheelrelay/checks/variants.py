"""The list of the variants of a release, ``NAME-VERSION-variants.json`` (PEP 825, a draft)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wheelrelay.checks.archive_contents import Contents, unreadable
from wheelrelay.checks.check import Check, Profile, Violation
from wheelrelay.records import Severity

LARGEST = 16 << 20
"""Bytes that the list may have; that of a release with hundreds of variants has a thousandth of that."""

VARIANT = Check(
    "wheel-variant",
    "A wheel is not a variant wheel (PEP 825), which indexes do not accept yet.",
    hint="Publish it to a directory or a bucket, with its NAME-VERSION-variants.json.",
)
VARIANTS_FILE = Check(
    "variants-file",
    "A file is not the list of a release's variants (PEP 825), which indexes do not accept yet.",
    hint="Publish it to a directory or a bucket, with its variant wheels.",
)
UNLISTED = Check(
    "variants-unlisted",
    "NAME-VERSION-variants.json lists the labels of all variant wheels of its release (PEP 825).",
    hint="Make it anew from the variant wheels: installers do not find a wheel whose label it does not list.",
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)


def read_variants(path: Path) -> Contents:
    """Read the list of a release's variants; nothing in it makes this fail.

    Args:
        path: where it is.

    Raises:
        OSError: it cannot be opened.
    """
    with path.open("rb") as raw:
        text = raw.read(LARGEST + 1)
    if len(text) > LARGEST:
        return unreadable(f"it has more than {LARGEST >> 20} MiB")
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        return unreadable(f"it is no JSON: {error}")
    variants = document.get("variants") if isinstance(document, dict) else None
    if not isinstance(variants, dict):
        return unreadable("it is no JSON object with 'variants'")
    return Contents(variants=frozenset(variants), readable=False)


def find_of_file(label: str) -> Iterator[Violation]:
    """Find that a file is one that belongs to variants.

    Args:
        label: of a variant wheel; empty for the list of the variants.
    """
    if label:
        yield VARIANT.violation(f"It is a wheel for the variant {label}.")
    else:
        yield VARIANTS_FILE.violation("It is the list of a release's variants.")
