"""Leave out files that were uploaded too recently, so that problems with them can be found first."""

from collections.abc import Sequence
from datetime import datetime

from wheelrelay.durations import format_duration
from wheelrelay.engine.context import AgePolicy
from wheelrelay.model import DistFile
from wheelrelay.records import Finding, Severity
from wheelrelay.select import releases_of

TOO_NEW = "too-new"
AGE_UNKNOWN = "age-unknown"

MAX_NAMES = 3
"""How many of the newest files a finding names."""


def leave_out_new(
    files: Sequence[DistFile], policy: AgePolicy, *, is_mirror: bool, now: datetime
) -> tuple[list[DistFile], list[Finding]]:
    """Return the files that are old enough, and findings about the others.

    A mirror leaves them out with a warning. A release is all or nothing, so there they are errors.

    Args:
        files: The selected files.
        policy: The minimum age.
        is_mirror: Whether files are published one by one.
        now: The current time, with a time zone.
    """
    newest = now - policy.min_age
    unknown = [file for file in files if file.upload_time is None and not policy.take_unknown]
    new = [file for file in files if file.upload_time is not None and file.upload_time > newest]
    severity = Severity.WARNING if is_mirror else Severity.ERROR
    findings = []
    if new:
        age = format_duration(policy.min_age)
        message = f"{_left_out(new, is_mirror=is_mirror)} uploaded less than {age} ago: {_names(new)}."
        findings.append(Finding(TOO_NEW, severity, message, hint="Wait, or change `min_age`."))
    if unknown:
        message = f"{_left_out(unknown, is_mirror=is_mirror)} of unknown age: {_names(unknown)}."
        hint = 'The source lists no upload times. Use its JSON pages, or set unknown_age = "take".'
        findings.append(Finding(AGE_UNKNOWN, severity, message, hint=hint))
    left_out = {file.filename for file in (*new, *unknown)}
    return [file for file in files if file.filename not in left_out], findings


def _left_out(files: Sequence[DistFile], *, is_mirror: bool) -> str:
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    return f"Left out {count}" if is_mirror else f"The release has {count}"


def _names(files: Sequence[DistFile]) -> str:
    """Return the names of the newest files, and the number of the others."""
    by_version = [file for release in releases_of(files) for file in release.files]
    timed = sorted(by_version, key=lambda file: file.upload_time.timestamp() if file.upload_time else 0)
    names = [file.filename for file in timed[::-1][:MAX_NAMES]]
    more = f" and {len(files) - MAX_NAMES} more" if len(files) > MAX_NAMES else ""
    return f"{', '.join(names)}{more}"
