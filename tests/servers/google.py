"""Google's metadata server and IAM service, as far as machines request identities from them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from tests.servers.web import Reply, Request, Web, run_web

METADATA = {"Metadata-Flavor": "Google"}
"""The header by which the metadata server is recognized."""

OF_THE_MACHINE = "/computeMetadata/v1/instance/service-accounts/default/"
"""The path for requests about the machine's own account."""

ACCESS_TOKEN = "ya29.of-the-machine"
"""The token with which the machine's own account impersonates another one."""


class Google(Web):
    """Both services at one URL.

    Attributes:
        sign: returns an identity for an audience.
    """

    sign: Callable[[str], str]

    def reply_to(self, request: Request) -> Reply:
        """Return the response to a request of a machine."""
        asked = urlsplit(request.path)
        if asked.path in ("/", "/computeMetadata/v1/project/project-id"):
            return Reply(b"project", content_type="text/plain", headers=METADATA)
        if asked.path.startswith(OF_THE_MACHINE):
            if request.headers.get("metadata-flavor") != "Google":
                return Reply(b"Missing required header: Metadata-Flavor", 403, "text/plain")
            return self._of_the_machine(asked.path.removeprefix(OF_THE_MACHINE), parse_qs(asked.query))
        if asked.path.endswith(":generateIdToken") and request.method == "POST":
            if request.headers.get("authorization") != f"Bearer {ACCESS_TOKEN}":
                return Reply(b'{"error": {"status": "UNAUTHENTICATED"}}', 401, "application/json")
            return _json({"token": self.sign(json.loads(request.body)["audience"])})
        return super().reply_to(request)

    def _of_the_machine(self, what: str, query: dict[str, list[str]]) -> Reply:
        if what == "":
            return _json(
                {"email": "machine@example.iam.gserviceaccount.com", "scopes": [], "aliases": ["default"]}
            )
        if what == "token":
            return _json({"access_token": ACCESS_TOKEN, "expires_in": 3599, "token_type": "Bearer"})
        assert what == "identity"
        return Reply(self.sign(query["audience"][0]).encode(), content_type="text/html")


@contextmanager
def run_google(sign: Callable[[str], str]) -> Iterator[Google]:
    """Run both services.

    Args:
        sign: returns an identity for an audience.
    """
    with run_web(web=Google) as google:
        assert isinstance(google, Google)
        google.sign = sign
        yield google


def _json(document: object) -> Reply:
    return Reply(json.dumps(document).encode(), content_type="application/json", headers=METADATA)
