"""Checks of the archive itself: readable, sound, the same for every reader, and safe to unpack."""

from wheelrelay.checks import contents, tars, zips
from wheelrelay.checks.families import FileChecks

ARCHIVE = FileChecks(
    (*contents.CHECKS, *zips.CHECKS, *tars.CHECKS),
    lambda distribution: distribution.contents.breaches,
)
