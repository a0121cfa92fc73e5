"""Checks of the archive itself: readable, sound, the same for every reader, and safe to unpack."""

from wheelrelay.checks import archive_contents, tar_archive, zip_archive
from wheelrelay.checks.contract import FileChecks

ARCHIVE = FileChecks(
    (*archive_contents.CHECKS, *zip_archive.CHECKS, *tar_archive.CHECKS),
    lambda distribution: distribution.contents.violations,
)
