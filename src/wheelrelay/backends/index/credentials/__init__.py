"""Whose name files go to an index under: where credentials are looked for, and how they are kept.

For an upload they are looked for in this order, and the first place that has a password or token wins:

1. the remote's references in the configuration: ``token``, or ``username`` and ``password``;
2. ``WHEELRELAY_<REMOTE>_TOKEN``, or ``_USERNAME`` and ``_PASSWORD``;
3. ``TWINE_USERNAME`` and ``TWINE_PASSWORD``, for the address in ``TWINE_REPOSITORY_URL``; else for that of
   the section of ``~/.pypirc``, or the remote, that ``TWINE_REPOSITORY`` names; else for PyPI's own;
4. the section of ``~/.pypirc`` whose repository is the upload address;
5. the keyring, with the upload address as the service;
6. ``~/.netrc``;
7. trusted publishing: the identity that a CI system gives to a job;
8. a prompt on a terminal: for PyPI and TestPyPI, and where some place has a user name and none a password.

A user name that an earlier place gives is kept: later places that are for somebody else are passed over.
A reference in the configuration that leads nowhere is an error, and nothing else is tried in its place.

PyPI and TestPyPI take nothing from strangers, so finding nothing is an error there before anything is
published. Other indexes may: then files go without credentials, and should the index want some, the error
says where they were looked for.

Reading takes less: PyPI and TestPyPI are read without credentials; other indexes with those that are
written down somewhere (1 to 4, and 6), and with the keyring's only after the index has asked (401). Nobody
is prompted and no token is made for reading.
"""

from wheelrelay.backends.index.credentials.auth import IndexAuth, reading_auth, uploading_auth
from wheelrelay.backends.index.credentials.certificates import certificates
from wheelrelay.backends.index.credentials.request import Account, CredentialRequest

__all__ = ["Account", "CredentialRequest", "IndexAuth", "certificates", "reading_auth", "uploading_auth"]
