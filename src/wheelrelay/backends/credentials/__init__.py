"""Credentials for a package index or a listing: where they are looked up, and how they are kept.

For an upload these providers are tried in order, and the first one with a password or token wins:

1. the remote's references in the configuration: ``token``, or ``username`` and ``password``;
2. ``WHEELRELAY_<REMOTE>_TOKEN``, or ``_USERNAME`` and ``_PASSWORD``;
3. ``TWINE_USERNAME`` and ``TWINE_PASSWORD``, for the URL in ``TWINE_REPOSITORY_URL``; else for the section of
   ``~/.pypirc``, or the remote, that ``TWINE_REPOSITORY`` names; else for PyPI;
4. the section of ``~/.pypirc`` whose repository is the upload URL;
5. the keyring, with the upload URL as the service;
6. ``~/.netrc``;
7. the token of a GitLab job, ``CI_JOB_TOKEN``, for URLs of the API of the job's own server;
8. trusted publishing: the identity that a CI system issues to a job;
9. a prompt on a terminal: for PyPI and TestPyPI, and if a provider has a user name but none has a password.

A user name from an earlier provider is kept: entries for other users are ignored. A reference in the
configuration that cannot be resolved is an error, and no other provider is tried.

PyPI and TestPyPI require credentials, so missing ones are an error before anything is published. Other
indexes may accept anonymous uploads: files are sent without credentials, and if the index requires some, the
error lists the providers that were tried.

To read, PyPI and TestPyPI need no credentials. For other indexes providers 1 to 4, 6 and 7 are used, and the
keyring only after the index has returned 401. Reading never prompts and never requests a token.

A listing is only read, with providers 1, 2, 6 and 7.
"""

from wheelrelay.backends.credentials.auth import IndexAuth, listing_auth, reading_auth, uploading_auth
from wheelrelay.backends.credentials.providers import certificates
from wheelrelay.backends.credentials.requests import Account, CredentialRequest

__all__ = [
    "Account",
    "CredentialRequest",
    "IndexAuth",
    "certificates",
    "listing_auth",
    "reading_auth",
    "uploading_auth",
]
