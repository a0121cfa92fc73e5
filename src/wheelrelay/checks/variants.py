"""Checks of variant wheels, and of the list of a release's variants, NAME-VERSION-variants.json (PEP 825)."""

from collections.abc import Iterator, Sequence

from wheelrelay.checks.contract import (
    Check,
    FileChecks,
    Inspection,
    Profile,
    ReleaseChecks,
    ReleaseContext,
    Violation,
)
from wheelrelay.checks.distribution import Distribution
from wheelrelay.model import Kind
from wheelrelay.printable import join_names
from wheelrelay.records import Severity

VARIANT = Check(
    "wheel-variant",
    "A wheel is not a variant wheel (PEP 825); indexes do not accept them yet.",
    hint="Publish it to a directory or bucket, together with NAME-VERSION-variants.json.",
)
VARIANTS_FILE = Check(
    "variants-file",
    "A file is not a list of variants (PEP 825); indexes do not accept them yet.",
    hint="Publish it to a directory or bucket, together with the variant wheels.",
)
UNLISTED = Check(
    "variants-unlisted",
    "NAME-VERSION-variants.json lists the labels of all variant wheels of its release (PEP 825).",
    hint="Generate it again from all variant wheels. Installers ignore wheels with unlisted labels.",
    severity=Severity.WARNING,
    profile=Profile.STORAGE,
)


def _find(distribution: Distribution) -> Iterator[Violation]:
    file = distribution.file
    if file is not None and file.kind is Kind.VARIANTS:
        yield VARIANTS_FILE.violation("The file is the list of a release's variants.")
    elif file is not None and file.variant:
        yield VARIANT.violation(f"The wheel is for the variant {file.variant}.")


def _find_unlisted(inspections: Sequence[Inspection], _: ReleaseContext) -> Iterator[Violation]:
    for inspection in inspections:
        file = inspection.file
        if file is None or file.kind is not Kind.VARIANTS or inspection.damage:
            continue
        release = file.project, file.version
        others = [other.file for other in inspections if other.file]
        labels = {other.variant for other in others if (other.project, other.version) == release}
        if unlisted := sorted(labels - inspection.variants - {""}):
            yield UNLISTED.violation(f"Unlisted labels: {join_names(unlisted)}.", filename=file.filename)


FILE_CHECKS = FileChecks((VARIANT, VARIANTS_FILE), _find, all_kinds=True)
RELEASE_CHECKS = ReleaseChecks((UNLISTED,), _find_unlisted)
