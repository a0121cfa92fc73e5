"""Sign requests with the sha256 of the body that the request declares, without reading the body again.

A signature of version 4 covers the sha256 of the body. botocore computes it for every request, also where the
request has a header with the sha256: each byte of an upload would be hashed twice.
"""

from base64 import b64decode
from typing import Any

from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth

DECLARED = "x-amz-checksum-sha256"
"""The header with the sha256 of the body, in base64; the server compares it, as it does the signed one."""

_REPLACED = ("v4", "s3")
"""Version and service of the signatures that the class below makes in place of botocore's class for S3."""

_NAME = "wheelrelay-s3v4"
"""The name under which botocore finds the class below; botocore has no such name."""


class DeclaredDigestAuth(S3SigV4Auth):  # type: ignore[misc]
    """Signs an upload with its declared sha256, and all other requests as botocore does."""

    def payload(self, request: Any) -> str:
        """Return the sha256 of the body in hexadecimal, or ``UNSIGNED-PAYLOAD``.

        Only the body of a ``PUT`` has the declared digest: other requests may declare that of a whole object.
        """
        declared = request.headers.get(DECLARED) if request.method == "PUT" else None
        payload: str = super().payload(request) if declared is None else b64decode(declared).hex()
        return payload


def sign_declared_digests(client: Any) -> None:
    """Let a client of botocore sign uploads with the sha256 that they declare."""
    AUTH_TYPE_MAPS[_NAME] = DeclaredDigestAuth
    client.meta.events.register("choose-signer.s3", _choose)


def _choose(signature_version: object, signing_name: object, **_: object) -> str | None:
    return _NAME if (signature_version, signing_name) == _REPLACED else None
