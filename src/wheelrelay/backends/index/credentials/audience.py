"""Whom the identity of a CI job is for: each index gets identities for its own audience, and for no other.

Whoever holds an identity can show it wherever its audience is accepted. So the audience is never an index's
to choose: PyPI's and TestPyPI's are bound to the hosts that they take uploads at, and any other index needs
one that the configuration names.
"""

import re

from wheelrelay.http import origin_of

_OWN: dict[tuple[str, str, int | None], str] = {
    ("https", "upload.pypi.org", 443): "pypi",
    ("https", "test.pypi.org", 443): "testpypi",
}

_TAKEN = frozenset({"PYPI", "TESTPYPI", "SIGSTORE", "SIGSTORE_STAGING", "CRATES_IO", "RUBYGEMS_ORG", "JSR"})
"""Audiences of others, spelled as GitLab spells them in the name of a variable."""

_TAKEN_WITH = re.compile(
    r"azuread|windows\.net|microsoft|amazonaws|googleapis|google\.com|aliyun|github|gitlab|sigstore|npmjs|nuget",
    re.IGNORECASE,
)
"""What is in the audiences of clouds, CI systems and package registries, as ``api://AzureADTokenExchange``."""


def audience_for(upload_url: str, *, trusted: bool | None, configured: str | None) -> str | None:
    """The audience of the identities that an index may get; ``None`` if it gets none.

    Args:
        upload_url: where the index takes uploads.
        trusted: whether the configuration wants trusted publishing; ``None`` if it does not say.
        configured: the audience in the configuration.

    Raises:
        ValueError: trusted publishing is wanted, and the audience is missing or belongs to somebody else.
    """
    own = _OWN.get(origin_of(upload_url))
    if configured is not None and not trusted:
        raise ValueError("an audience counts only with trusted_publishing = true")
    if own or not trusted:
        if configured not in (None, own):
            raise ValueError(f"the audience of this index is {own!r}: leave audience out")
        return None if trusted is False else own
    if configured is None:
        raise ValueError(
            "trusted publishing needs an audience, except at PyPI and TestPyPI: name the one that the index "
            "has for itself"
        )
    if not configured.isprintable() or configured != configured.strip() or not configured:
        raise ValueError("the audience is empty, or has blanks or control characters around it or in it")
    if _variable(configured) in _TAKEN or _TAKEN_WITH.search(configured):
        raise ValueError(
            f"the audience {configured!r} belongs to another service: whoever gets an identity for it can "
            "act as this job there"
        )
    return configured


def _variable(audience: str) -> str:
    return re.sub("[^A-Z0-9]", "_", audience.strip().upper())
