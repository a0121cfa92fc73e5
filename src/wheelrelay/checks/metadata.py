"""Checks of the core metadata, METADATA in a wheel and PKG-INFO in an sdist; see also `description`."""

import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import parseaddr
from functools import lru_cache

from packaging.metadata import InvalidMetadata, Metadata, RawMetadata
from packaging.requirements import InvalidRequirement, Requirement

from wheelrelay.checks.contract import Check, FileChecks, Profile, Violation
from wheelrelay.checks.distribution import Distribution
from wheelrelay.printable import join_names, printable
from wheelrelay.records import Severity

PYPI_VERSIONS = frozenset({"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"})
MAX_SUMMARY = 512
MAX_URL_LABEL = 32

# The libraries that decide what is valid need as long to import as all checks of a small wheel. Common forms,
# which they accept, need no library.
_LABEL = "[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
_COMMON_WEB_URL = re.compile(rf"https?://(?:{_LABEL}\.)+{_LABEL}(?:/[A-Za-z0-9._~-]*)*")
_COMMON_EMAIL = re.compile(
    rf"(?=.{{6,64}}$)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:{_LABEL}\.)+[A-Za-z]{{2,3}}"
)

PKG_INFO = Check(
    "sdist-pkg-info",
    "An sdist has PKG-INFO in its top-level folder.",
    hint="Build the sdist with 'python -m build --sdist'. An archive of a repository is not an sdist.",
    lenient_severity=Severity.WARNING,
)
UNREADABLE = Check(
    "metadata-unreadable",
    "Metadata files are regular members: not links, not encrypted, stored or deflated, and at most 16 MiB.",
    hint="Build the file again with a current build tool.",
    profile=Profile.STORAGE,
)
REQUIRED = Check(
    "metadata-required",
    "The metadata has a Metadata-Version, a valid Name and a valid Version.",
    hint="Build the file again with a current build tool.",
    lenient_severity=Severity.WARNING,
)
FIELD = Check(
    "metadata-field",
    "Every metadata field is known, well-formed and not repeated.",
    hint="Correct the field in the project's configuration, or update the build tool.",
    profile=Profile.PYPI,
    lenient_severity=Severity.WARNING,
)
VERSION = Check(
    "metadata-version",
    f"The Metadata-Version is one that PyPI accepts: {', '.join(sorted(PYPI_VERSIONS))}.",
    hint=f"Use a build tool that writes Metadata-Version {max(PYPI_VERSIONS)} or older.",
    profile=Profile.PYPI,
)
SUMMARY = Check(
    "metadata-summary",
    f"The Summary has at most {MAX_SUMMARY} characters.",
    hint="Shorten the summary. Long texts belong in the description.",
    profile=Profile.PYPI,
)
EMAIL = Check(
    "metadata-email",
    "Author-email and Maintainer-email contain valid email addresses.",
    hint="Use the form 'NAME <user@domain>', or remove the field.",
    profile=Profile.PYPI,
)
URL = Check(
    "metadata-url",
    "Home-page, Download-URL and Project-URL contain http or https URLs.",
    hint="Use the complete URL, with non-ASCII characters percent-encoded.",
    profile=Profile.PYPI,
)
URL_LABEL = Check(
    "metadata-url-label",
    f"Each Project-URL has a label of 1 to {MAX_URL_LABEL} characters.",
    hint=f"Use a label of 1 to {MAX_URL_LABEL} characters.",
    profile=Profile.PYPI,
)
DIRECT_URL = Check(
    "metadata-direct-url",
    "No requirement is a direct URL (name @ url).",
    hint="Depend on a published release instead.",
    profile=Profile.PYPI,
)
LICENSE = Check(
    "metadata-license",
    "The metadata has License or License-Expression, not both (PEP 639).",
    hint="Remove License and keep License-Expression.",
    profile=Profile.PYPI,
)
LICENSE_FILE = Check(
    "license-file",
    "Each License-File exists: in .dist-info/licenses/ of a wheel, in the top-level folder of an sdist.",
    hint="Add the file, or remove the field. If the file is in another folder, update the build tool.",
    profile=Profile.PYPI,
)
CLASSIFIER_PRIVATE = Check(
    "classifier-private",
    "No classifier begins with 'Private ::', which marks a project that must not be published.",
    hint="Remove the classifier if you want to publish the project.",
    profile=Profile.PYPI,
)
CLASSIFIER_UNKNOWN = Check(
    "classifier-unknown",
    "Every classifier is in the list of trove classifiers.",
    hint="Correct the classifier. If it is new, run 'pip install --upgrade trove-classifiers'.",
    profile=Profile.PYPI,
)
CLASSIFIER_DEPRECATED = Check(
    "classifier-deprecated",
    "No classifier is deprecated.",
    hint="Replace or remove the classifier.",
    profile=Profile.PYPI,
)


def _find(distribution: Distribution) -> Iterator[Violation]:
    is_sdist = distribution.file is not None and not distribution.is_wheel
    if is_sdist and distribution.contents.is_readable and distribution.folder is None:
        yield PKG_INFO.violation("The top-level folder contains no PKG-INFO.")
    if unread := distribution.unread_metadata_files():
        yield UNREADABLE.violation(
            "Metadata files that are links, encrypted, too large or compressed with an unsupported method: "
            f"{join_names(unread)}."
        )
    if distribution.metadata is None:
        return
    raw = distribution.metadata.raw
    yield from _check_fields(raw, distribution.metadata.unparsed)
    if len(raw.get("summary", "")) > MAX_SUMMARY:
        yield SUMMARY.violation(f"The Summary has {len(raw['summary'])} characters.")
    if raw.get("license") and raw.get("license_expression"):
        yield LICENSE.violation("The metadata has both License and License-Expression.")
    yield from _check_emails(raw)
    yield from _check_urls(raw)
    yield from _check_requirements(raw)
    yield from _check_license_files(distribution, raw)
    yield from _check_classifiers(set(raw.get("classifiers", [])))


def _check_fields(raw: RawMetadata, unparsed: tuple[str, ...]) -> Iterator[Violation]:
    """Check the fields against the specification, and against the versions of it that PyPI supports."""
    if unparsed:
        yield FIELD.violation(f"Fields that are unknown, repeated or malformed: {join_names(unparsed)}.")
    errors = _packaging_errors(raw)
    for field, message in errors:
        if field == "metadata-version" and "metadata_version" not in raw:
            yield REQUIRED.violation("Metadata-Version is missing.")
        else:
            yield (REQUIRED if field in ("name", "version") else FIELD).violation(message)
    charset = _refused_charset(raw.get("description_content_type") or "text/plain")
    if charset is not None:
        yield FIELD.violation(
            f"description-content-type: PyPI accepts the charset UTF-8 only, not {printable(charset)}."
        )
    version = raw.get("metadata_version")
    if version and version not in PYPI_VERSIONS and "metadata-version" not in dict(errors):
        yield VERSION.violation(f"PyPI does not accept Metadata-Version {version} yet.")


def _packaging_errors(raw: RawMetadata) -> list[tuple[str, str]]:
    """Return the fields that `packaging` refuses, each with a sentence."""
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        errors = [error for error in group.exceptions if isinstance(error, InvalidMetadata)]
        return sorted((error.field, _sentence(error)) for error in errors)
    return []


def _sentence(error: InvalidMetadata) -> str:
    message = str(error).rstrip(".")
    if message.endswith("is a required field"):
        return f"{error.field.title()} is missing."
    return f"{message}." if error.field in message else f"{error.field}: {message}."


@lru_cache(maxsize=64)  # most projects use one of very few, and parsing takes a while
def _refused_charset(content_type: str) -> str | None:
    """Return a spelling of UTF-8 that PyPI's `packaging` (26.2) refuses; later versions accept it."""
    message = EmailMessage()
    try:
        message["Content-Type"] = content_type
    except (ValueError, IndexError):
        return None
    charset: str = message["Content-Type"].params.get("charset", "UTF-8")
    return charset if charset != "UTF-8" and charset.lower() == "utf-8" else None


def _check_emails(raw: RawMetadata) -> Iterator[Violation]:
    fields = {"Author-email": raw.get("author_email"), "Maintainer-email": raw.get("maintainer_email")}
    for field, value in fields.items():
        # PyPI looks at the first address only, and only if the field contains one.
        address = parseaddr(value or "")[1]
        if address and not is_email_address(address):
            yield EMAIL.violation(f"{field}: {printable(address)} is not a valid email address.")


def is_email_address(address: str) -> bool:
    """Return whether PyPI accepts an email address.

    >>> is_email_address("a.b@example.org"), is_email_address("a@localhost")
    (True, False)
    """
    if _COMMON_EMAIL.fullmatch(address):
        return True
    from email_validator import EmailNotValidError, validate_email  # slow to import

    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def _check_urls(raw: RawMetadata) -> Iterator[Violation]:
    urls: dict[str, str | None] = {
        "Home-page": raw.get("home_page"),
        "Download-URL": raw.get("download_url"),
    }
    for label, url in raw.get("project_urls", {}).items():
        if not label or len(label) > MAX_URL_LABEL:
            yield URL_LABEL.violation(f"The label {printable(label)} has {len(label)} characters.")
        urls[f"Project-URL {printable(label)}"] = url
    for field, value in urls.items():
        if value is not None and not is_web_url(value):
            yield URL.violation(f"{field}: {printable(value)} is not an http or https URL.")


def is_web_url(url: str) -> bool:
    """Return whether this is an http or https URL (RFC 3986)."""
    if _COMMON_WEB_URL.fullmatch(url):
        return True
    from rfc3986 import uri_reference  # slow to import
    from rfc3986.exceptions import RFC3986Exception
    from rfc3986.validators import Validator

    parts = ("scheme", "host", "port", "path", "query")
    validator = Validator().allow_schemes("http", "https").require_presence_of("scheme")
    try:
        validator.check_validity_of(*parts).validate(uri_reference(url).normalize())
    except (RFC3986Exception, ValueError):
        return False
    return True


def _check_requirements(raw: RawMetadata) -> Iterator[Violation]:
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
                if field != "Requires-Dist":  # which `packaging` checks
                    yield FIELD.violation(f"{field}: {printable(value)} is not a valid requirement.")
                continue
            if requirement.url:
                yield DIRECT_URL.violation(
                    f"{field}: {requirement.name} is required from the URL {printable(requirement.url)}."
                )


def _check_license_files(distribution: Distribution, raw: RawMetadata) -> Iterator[Violation]:
    folder = f"{distribution.folder}/licenses" if distribution.is_wheel else distribution.folder
    paths = [f"{folder}/{name}" for name in raw.get("license_files", [])]
    # PyPI looks for the path among the members of an sdist, so a folder of that name is enough.
    folders = set() if distribution.is_wheel else distribution.contents.folders
    missing = [path for path in paths if path not in distribution.members and path not in folders]
    if missing:
        yield LICENSE_FILE.violation(f"Files declared as License-File are missing: {join_names(missing)}.")


def _check_classifiers(used: set[str]) -> Iterator[Violation]:
    if not used:
        return
    from trove_classifiers import classifiers, deprecated_classifiers  # a large module

    private = {classifier for classifier in used if classifier.startswith("Private ::")}
    if private:
        yield CLASSIFIER_PRIVATE.violation(
            f"The project is marked as private: {join_names(sorted(private))}."
        )
    for classifier in sorted(used & deprecated_classifiers.keys()):
        replacements = ", ".join(deprecated_classifiers[classifier])
        hint = f"Use {replacements} instead." if replacements else "Remove the classifier."
        message = f"The classifier {printable(classifier)} is deprecated."
        yield CLASSIFIER_DEPRECATED.violation(message, hint=hint)
    unknown = used - classifiers - deprecated_classifiers.keys() - private
    if unknown:
        yield CLASSIFIER_UNKNOWN.violation(f"Unknown classifiers: {join_names(sorted(unknown))}.")


CHECKS = FileChecks(
    (
        *(
            PKG_INFO,
            UNREADABLE,
            REQUIRED,
            FIELD,
            VERSION,
            SUMMARY,
            EMAIL,
            URL,
            URL_LABEL,
            DIRECT_URL,
            LICENSE,
        ),
        *(LICENSE_FILE, CLASSIFIER_PRIVATE, CLASSIFIER_UNKNOWN, CLASSIFIER_DEPRECATED),
    ),
    _find,
)
