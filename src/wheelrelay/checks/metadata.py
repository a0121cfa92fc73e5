"""Checks of the core metadata: METADATA in a wheel, PKG-INFO in an sdist."""

from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import parseaddr

from packaging.metadata import InvalidMetadata, Metadata, RawMetadata
from packaging.requirements import InvalidRequirement, Requirement

from wheelrelay.checks.check import Check, Profile, Violation, listed, shown
from wheelrelay.checks.contract import FileChecks
from wheelrelay.checks.distribution import Distribution
from wheelrelay.records import Severity

PYPI_VERSIONS = frozenset({"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"})
SUMMARY_LENGTH = 512
LABEL_LENGTH = 32

UNREADABLE = Check(
    "metadata-unreadable",
    "The metadata files are plain members: no links, stored or deflated, not encrypted, of a plausible size.",
    hint="Build it again with a current build tool.",
    profile=Profile.STORAGE,
)
REQUIRED = Check(
    "metadata-required",
    "The metadata have a Metadata-Version, a valid Name and a valid Version.",
    hint="Build it again with a current build tool.",
    below=Severity.WARNING,
)
FIELD = Check(
    "metadata-field",
    "Every field is known to its metadata version, appears as often as it may, and is well-formed.",
    hint="Correct the field in the project's configuration, or update the build tool.",
    profile=Profile.PYPI,
    below=Severity.WARNING,
)
VERSION = Check(
    "metadata-version",
    f"The Metadata-Version is one that PyPI takes: {', '.join(sorted(PYPI_VERSIONS))}.",
    hint="Build it with a build tool that writes one of these.",
    profile=Profile.PYPI,
)
SUMMARY = Check(
    "metadata-summary",
    f"The Summary has at most {SUMMARY_LENGTH} characters.",
    hint="Shorten it; the long text belongs in the description.",
    profile=Profile.PYPI,
)
EMAIL = Check(
    "metadata-email",
    "Author-email and Maintainer-email hold addresses that mail can be sent to.",
    hint="Write NAME <user@domain>, or leave the field out.",
    profile=Profile.PYPI,
)
URL = Check(
    "metadata-url",
    "Home-page, Download-URL and Project-URL hold http or https addresses.",
    hint="Write the whole address, with everything but ASCII percent-encoded.",
    profile=Profile.PYPI,
)
LABEL = Check(
    "metadata-url-label",
    f"Each Project-URL has a label of at most {LABEL_LENGTH} characters.",
    hint="Shorten the label.",
    profile=Profile.PYPI,
)
DIRECT_URL = Check(
    "metadata-direct-url",
    "No requirement names an address (name @ url).",
    hint="Depend on a published release of it.",
    profile=Profile.PYPI,
)
LICENSE = Check(
    "metadata-license",
    "License and License-Expression exclude each other (PEP 639).",
    hint="Keep License-Expression.",
    profile=Profile.PYPI,
)


def find(distribution: Distribution) -> Iterator[Violation]:
    """Find what is wrong with the core metadata."""
    if unread := distribution.unread():
        yield UNREADABLE.violation(f"Not a plain member that every reader reads alike: {listed(unread)}.")
    if distribution.metadata is None:
        return
    raw = distribution.metadata.raw
    yield from _form(raw, distribution.metadata.unparsed)
    if len(raw.get("summary", "")) > SUMMARY_LENGTH:
        yield SUMMARY.violation(f"The Summary has {len(raw['summary'])} characters.")
    if raw.get("license") and raw.get("license_expression"):
        yield LICENSE.violation("Both License and License-Expression are given.")
    yield from _emails(raw)
    yield from _urls(raw)
    yield from _requirements(raw)


def _form(raw: RawMetadata, unparsed: tuple[str, ...]) -> Iterator[Violation]:
    """What the specification does not allow, and the versions of it that PyPI does not know yet."""
    if unparsed:
        yield FIELD.violation(f"Unknown, repeated or unreadable: {listed(unparsed)}.")
    errors = _errors(raw)
    for field, said in errors:
        missing = field == "metadata-version" and "metadata_version" not in raw
        yield (REQUIRED if field in ("name", "version") or missing else FIELD).violation(said)
    yield from (FIELD.violation(f"description-content-type: {said}.") for said in _charset(raw))
    version = raw.get("metadata_version")
    if version and version not in PYPI_VERSIONS and "metadata-version" not in dict(errors):
        yield VERSION.violation(f"PyPI does not take Metadata-Version {version} yet.")


def _charset(raw: RawMetadata) -> Iterator[str]:
    """What the `packaging` that PyPI runs (26.2) refuses and later ones accept."""
    message = EmailMessage()
    try:
        message["Content-Type"] = raw.get("description_content_type") or "text/plain"
    except (ValueError, IndexError):
        return
    charset = message["Content-Type"].params.get("charset", "UTF-8")
    if charset != "UTF-8" and charset.lower() == "utf-8":
        yield f"PyPI accepts the charset as UTF-8 only, not as {shown(charset)}"


def _errors(raw: RawMetadata) -> list[tuple[str, str]]:
    """What `packaging` finds: the fields, with a sentence each."""
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        errors = [error for error in group.exceptions if isinstance(error, InvalidMetadata)]
        return sorted((error.field, f"{error.field}: {str(error).rstrip('.')}.") for error in errors)
    return []


def _emails(raw: RawMetadata) -> Iterator[Violation]:
    fields = {"Author-email": raw.get("author_email"), "Maintainer-email": raw.get("maintainer_email")}
    for field, value in fields.items():
        address = parseaddr(value or "")[1]
        if address and not is_deliverable(address):
            yield EMAIL.violation(f"{field}: {shown(address)} is not an address that mail can be sent to.")


def is_deliverable(address: str) -> bool:
    """Whether the form of an e-mail address lets mail be sent there, as PyPI decides it.

    >>> is_deliverable("a.b@example.org"), is_deliverable("a@localhost")
    (True, False)
    """
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def _urls(raw: RawMetadata) -> Iterator[Violation]:
    urls: dict[str, str | None] = {
        "Home-page": raw.get("home_page"),
        "Download-URL": raw.get("download_url"),
    }
    for label, url in raw.get("project_urls", {}).items():
        if not label or len(label) > LABEL_LENGTH:
            yield LABEL.violation(f"The label {shown(label)} has {len(label)} characters.")
        urls[f"Project-URL {shown(label)}"] = url
    for field, given in urls.items():
        if given is not None and not is_web_address(given):
            yield URL.violation(f"{field}: {shown(given)} is not a web address.")


def is_web_address(url: str) -> bool:
    """Whether this is an http or https address (RFC 3986)."""
    from rfc3986 import uri_reference
    from rfc3986.exceptions import RFC3986Exception
    from rfc3986.validators import Validator

    parts = ("scheme", "host", "port", "path", "query")
    validator = Validator().allow_schemes("http", "https").require_presence_of("scheme")
    try:
        validator.check_validity_of(*parts).validate(uri_reference(url).normalize())
    except (RFC3986Exception, ValueError):
        return False
    return True


def _requirements(raw: RawMetadata) -> Iterator[Violation]:
    fields = {
        "Requires-Dist": raw.get("requires_dist", []),
        "Provides-Dist": raw.get("provides_dist", []),
        "Obsoletes-Dist": raw.get("obsoletes_dist", []),
    }
    for field, values in fields.items():
        for value in values:
            try:
                requirement = Requirement(value)
            except InvalidRequirement:
                if field != "Requires-Dist":
                    yield FIELD.violation(f"{field}: {shown(value)} is not a requirement.")
                continue
            if requirement.url:
                yield DIRECT_URL.violation(
                    f"{field}: {requirement.name} is required from {shown(requirement.url)}."
                )


METADATA = FileChecks(
    (UNREADABLE, REQUIRED, FIELD, VERSION, SUMMARY, EMAIL, URL, LABEL, DIRECT_URL, LICENSE),
    find,
)
