"""Variant wheels and the list of them belong together (PEP 825, a draft)."""

from collections.abc import Collection, Iterator, Sequence

from wheelrelay.model import DistFile, Kind
from wheelrelay.records import Finding, Severity
from wheelrelay.select import releases_of

MISSING_LIST = "variants-missing"


def without_list(files: Sequence[DistFile], there: Collection[str]) -> Iterator[Finding]:
    """A warning for each release that has variant wheels and no ``NAME-VERSION-variants.json``.

    Args:
        files: those that are meant.
        there: the filenames that every sink has.
    """
    for release in releases_of(files):
        wheels = [file.filename for file in release.files if file.variant]
        if not wheels or any(file.kind is Kind.VARIANTS for file in release.files):
            continue
        name = f"{'-'.join(wheels[0].split('-')[:2])}-variants.json"
        if name not in there:
            yield Finding(
                MISSING_LIST,
                Severity.WARNING,
                f"{release.project} {release.version} has variant wheels ({len(wheels)}), and the source has "
                f"no {name}. Without it, installers do not find them.",
                hint="Have it made from the variant wheels, and put it beside them (PEP 825).",
            )
