"""Which certificates go with an index, where its configuration names none."""

import os
from pathlib import Path

from wheelrelay.backends.index.credentials.providers import is_twines
from wheelrelay.backends.index.credentials.request import CredentialRequest
from wheelrelay.config.pypirc import Section, sections_for


def certificates(
    wanted: CredentialRequest | None, ca_cert: Path | None, client_cert: Path | None
) -> tuple[str | None, str | None]:
    """The paths of a CA bundle and of a client certificate.

    Each as configured; else ``TWINE_CERT`` and ``TWINE_CLIENT_CERT``, if they are meant for this remote; else
    as the section of ``~/.pypirc`` says.

    Args:
        wanted: the remote, by its upload address; if it has none, only what is configured counts.
        ca_cert: as configured.
        client_cert: as configured.

    Raises:
        ConfigError: ``~/.pypirc`` cannot be read.
    """
    bundle, client = (str(path) if path else None for path in (ca_cert, client_cert))
    if wanted is None:
        return bundle, client
    section = next(iter(sections_for(wanted.address, name=wanted.account.remote)), Section(""))
    return (
        bundle or _named("TWINE_CERT", wanted) or _of_home(section.ca_cert),
        client or _named("TWINE_CLIENT_CERT", wanted) or _of_home(section.client_cert),
    )


def _of_home(path: str | None) -> str | None:
    return path and os.path.expanduser(path)


def _named(variable: str, wanted: CredentialRequest) -> str | None:
    return os.environ.get(variable) if is_twines(wanted) else None
