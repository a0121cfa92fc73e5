"""The check that declared licence files are there (PEP 639)."""

from collections.abc import Iterator

from wheelrelay.checks.check import Check, Profile, Violation, listed
from wheelrelay.checks.contract import FileChecks
from wheelrelay.checks.distribution import Distribution

LICENSE_FILE = Check(
    "license-file",
    "Every License-File is there: in a wheel under .dist-info/licenses/, in an sdist under the top folder.",
    hint="Add the file to the distribution, or drop the field; an older build tool may put it elsewhere.",
    profile=Profile.PYPI,
)


def find(distribution: Distribution) -> Iterator[Violation]:
    """Find licence files that are declared and not there."""
    if distribution.metadata is None:
        return
    inside = "/licenses" if distribution.is_wheel else ""
    declared = distribution.metadata.raw.get("license_files", [])
    paths = [f"{distribution.folder}{inside}/{name}" for name in declared]
    folders = set() if distribution.is_wheel else distribution.contents.folders
    missing = [path for path in paths if path not in distribution.members and path not in folders]
    if missing:
        yield LICENSE_FILE.violation(f"Declared as License-File and not there: {listed(missing)}.")


LICENSE_FILES = FileChecks((LICENSE_FILE,), find)
