"""Checks of the trove classifiers, against the list that PyPI uses."""

from collections.abc import Iterator

from wheelrelay.checks.check import Check, Profile, Violation, listed, shown
from wheelrelay.checks.contract import FileChecks
from wheelrelay.checks.distribution import Distribution

PRIVATE = Check(
    "classifier-private",
    "No classifier begins with 'Private ::', which says that the project must not be published.",
    hint="Remove the classifier if the project really is to be public.",
    profile=Profile.PYPI,
)
UNKNOWN = Check(
    "classifier-unknown",
    "Every classifier is one of the trove classifiers.",
    hint="Correct it; if it is very new, update the package trove-classifiers here.",
    profile=Profile.PYPI,
)
DEPRECATED = Check(
    "classifier-deprecated",
    "No classifier is deprecated.",
    hint="Replace or remove it.",
    profile=Profile.PYPI,
)


def find(distribution: Distribution) -> Iterator[Violation]:
    """Find classifiers that PyPI does not take."""
    used = set(distribution.metadata.raw.get("classifiers", [])) if distribution.metadata else set()
    if not used:
        return
    from trove_classifiers import classifiers, deprecated_classifiers

    private = {classifier for classifier in used if classifier.startswith("Private ::")}
    if private:
        yield PRIVATE.violation(f"The project is marked as private: {listed(sorted(private))}.")
    for classifier in sorted(used & deprecated_classifiers.keys()):
        instead = ", ".join(deprecated_classifiers[classifier])
        hint = f"Use {instead} instead." if instead else "Remove it."
        yield DEPRECATED.violation(f"The classifier {shown(classifier)} is deprecated.", hint=hint)
    unknown = used - classifiers - deprecated_classifiers.keys() - private
    if unknown:
        yield UNKNOWN.violation(f"There are no such classifiers: {listed(sorted(unknown))}.")


CLASSIFIERS = FileChecks((PRIVATE, UNKNOWN, DEPRECATED), find)
