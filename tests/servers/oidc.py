"""An index with trusted publishing, and the CI system whose jobs it trusts, in the test process.

Identities are signed JWTs, and the index verifies their signature, issuer, audience and expiry, and that each
is used once. A token is valid for the first project that it is used for, and for no other.
"""

import base64
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pypi_attestations import Attestation, GitHubPublisher
from sigstore.errors import Error as SigstoreError
from sigstore.models import TrustedRoot
from sigstore.verify import Verifier

from tests.servers.pypi import TOKEN, PyPI
from tests.servers.pypi_rules import Form
from tests.servers.web import Reply, Request, run_web

AUDIENCE = "testindex"
WORKFLOW = "release.yml"
REQUEST_TOKEN = "asks-for-identities"
OWNER = f"Basic {base64.b64encode(f'__token__:{TOKEN}'.encode()).decode()}"


@dataclass
class Token:
    """A token for uploads; the first file determines its project."""

    expires: float
    project: str | None = None


class TrustingIndex(PyPI):
    """The index; see `run_trusting_index`.

    Attributes:
        publisher: the repository whose jobs may publish.
        repository: the repository of the job.
        issuer: the URL of the CI system.
        token_life: seconds until a token expires.
        tells_expiry: whether the response contains the expiry.
        status_for_bad_tokens: 403 as PyPI, or 401.
        echoes: whether its refusals repeat the request.
        same_identity: issue one identity for the duration of a job, like GitLab.
        knows_oidc: whether it has the OIDC endpoints.
        burns: whether tokens can be revoked.
        trust_root: the keys that attestations are verified with.
        attested: the attested predicates, by filename.
        provenance: the provenance objects (PEP 740), by filename.
        identities: all issued identities.
        tokens: all issued tokens, by value.
        burnt: the revoked tokens.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.publisher = self.repository = "example/project"
        self.token_life = 900.0
        self.tells_expiry = True
        self.status_for_bad_tokens = 403
        self.echoes = self.same_identity = False
        self.knows_oidc = self.burns = True
        self.trust_root: Path | None = None
        self.attested: dict[str, list[str]] = {}
        self.provenance: dict[str, bytes] = {}
        self.identities: list[str] = []
        self.tokens: dict[str, Token] = {}
        self.burnt: list[str] = []
        self.issuer = url
        self._key = ECKey.generate_key("P-256")
        self._used_identities: set[str] = set()
        self._by_token = False

    def github(self) -> dict[str, str]:
        """Return the variables of a GitHub job that may request its identity."""
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}identity?api-version=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
        }

    def trust_jobs_of(self, other: "TrustingIndex") -> None:
        """Trust the identities that the CI system of another index issues, as TestPyPI and PyPI do."""
        self.issuer, self._key = other.issuer, other._key

    def sign(self, audience: str = AUDIENCE, *, life: float = 60, key: ECKey | None = None) -> str:
        """Return an identity of the job, as a signed JWT."""
        now = int(time.time())
        token = {"iss": self.issuer, "aud": audience, "iat": now, "exp": now + life, "jti": uuid.uuid4().hex}
        job = {"sub": f"repo:{self.repository}", "repository": self.repository, "environment": "release"}
        job["workflow_ref"] = f"{self.repository}/.github/workflows/{WORKFLOW}@refs/tags/v1.0"
        job["job_workflow_ref"] = "example/shared/.github/workflows/upload.yml@refs/heads/main"
        job["repository_owner_id"] = "4711"
        return jwt.encode({"alg": "ES256"}, token | job, key or self._key)

    def vouch(self, filename: str, attestations: list[Any]) -> None:
        """Publish attestations of a file."""
        publisher = {"kind": "GitHub", "repository": self.publisher, "workflow": WORKFLOW}
        bundle = {"publisher": publisher, "attestations": attestations}
        self.provenance[filename] = json.dumps({"version": 1, "attestation_bundles": [bundle]}).encode()

    def page(self, name: str) -> dict[str, object] | None:
        """Return a project's page in JSON, with the URLs of its provenance objects."""
        document = super().page(name)
        entries: Any = document["files"] if document else []
        for entry in entries:
            known = entry["filename"] in self.provenance
            entry["provenance"] = f"/integrity/{entry['filename']}/provenance" if known else None
        return document

    def reply_to(self, request: Request) -> Reply:
        """Respond at the OIDC endpoints; other requests are those of an index."""
        path = urlsplit(request.path).path
        with self._lock:
            if self._faults.get(path):
                return self._faults[path].pop(0)
            if path == "/identity":
                return self._give_identity(request)
            if path.startswith("/integrity/"):
                told = self.provenance[path.split("/")[2]]
                return Reply(told, content_type="application/vnd.pypi.integrity.v1+json")
            if path.startswith("/_/oidc/") and self.knows_oidc:
                return self._oidc(path.rpartition("/")[2], request)
        return super().reply_to(request)

    def _give_identity(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"bearer {REQUEST_TOKEN}":
            return Reply(b"Who are you?", 401, "text/plain")
        if not (self.same_identity and self.identities):
            (audience,) = parse_qs(urlsplit(request.path).query)["audience"]
            self.identities.append(self.sign(audience))
        return _json({"value": self.identities[-1]})

    def _oidc(self, endpoint: str, request: Request) -> Reply:
        if endpoint == "audience":
            return _json({"audience": AUDIENCE})
        if endpoint == "mint-token":
            return self._mint(json.loads(request.body)["token"])
        if endpoint == "burn-token" and self.burns:
            self.burnt.append(json.loads(request.body)["token"])
            return _json({}, 202)
        return Reply(b"There is nothing here.", 404, "text/plain")

    def _mint(self, identity: str) -> Reply:
        try:
            claims = self._checked(identity)
        except (JoseError, ValueError) as error:
            return _refusal("invalid-token", f"malformed or invalid token: {type(error).__name__}")
        if claims["jti"] in self._used_identities:
            return _refusal("invalid-reuse-token", "invalid token: already used")
        if claims["repository"] != self.publisher:
            heard = f" for {identity}" if self.echoes else ""
            return _refusal("invalid-publisher", f"valid token, but no corresponding publisher{heard}")
        self._used_identities.add(claims["jti"])
        value, expires = f"pypi-{uuid.uuid4().hex}", time.time() + self.token_life
        self.tokens[value] = Token(expires)
        told = {"expires": expires} if self.tells_expiry else {}
        return _json({"success": True, "token": value, **told})

    def _checked(self, identity: str) -> dict[str, Any]:
        claims = jwt.decode(identity, self._key).claims
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            jti={"essential": True},
        ).validate(claims)
        return claims

    def _take(self, form: Form, authorization: str) -> tuple[int, str]:
        with self._lock:
            problem = self._problem_with(authorization, form["name"])
        if problem is None:
            self._by_token = self._is_token(authorization)
            return super()._take(form, OWNER)
        clear = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        heard = f" You sent {authorization}, which is {clear}." if self.echoes else ""
        return self.status_for_bad_tokens, problem + heard

    def _problem_with_attestations(self, form: Form) -> str | None:
        """Like PyPI, accept only attestations by the publisher that the token was issued for."""
        if not form["attestations"] or not self._by_token:
            return super()._problem_with_attestations(form)
        given = json.loads(form["attestations"])
        if not isinstance(given, list) or not 1 <= len(given) <= 2:
            return "a list of at most two is needed"
        try:
            predicates = [self._verified(one, form) for one in given]
        except (SigstoreError, ValueError) as error:
            return str(error)
        if len(set(predicates)) < len(predicates):
            return "two of one type"
        self.attested[form.filename] = predicates
        self.vouch(form.filename, given)
        return None

    def _verified(self, given: Any, form: Form) -> str:
        """Return the predicate of a valid attestation of a file."""
        assert self.trust_root
        attestation = Attestation.model_validate(given)
        verifier = Verifier(trusted_root=TrustedRoot.from_file(str(self.trust_root)))
        policy = GitHubPublisher(repository=self.publisher, workflow=WORKFLOW)._as_policy()
        _, payload = verifier.verify_dsse(attestation.to_bundle(), policy)
        statement = json.loads(payload)
        if statement["subject"] != [{"name": form.filename, "digest": {"sha256": form.sha256}}]:
            raise ValueError("subject does not match the distribution")
        return str(statement["predicateType"])

    def _is_token(self, authorization: str) -> bool:
        clear = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        return clear.removeprefix("__token__:") in self.tokens

    def _problem_with(self, authorization: str, project: str) -> str | None:
        if self._may_upload(authorization):
            return None
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        value = pair.removeprefix("__token__:")
        token = self.tokens.get(value)
        if token is None or value in self.burnt:
            return "Invalid or non-existent authentication information."
        if time.time() > token.expires:
            return "Invalid API Token: token is expired"
        token.project = token.project or project
        return None if token.project == project else "Invalid API Token: it is for another project"


@contextmanager
def run_trusting_index() -> Iterator[TrustingIndex]:
    """Run the index, with its CI system at ``/identity``, for the duration of the context."""
    with run_web(web=TrustingIndex) as index:
        assert isinstance(index, TrustingIndex)
        yield index


def _json(document: object, status: int = 200) -> Reply:
    return Reply(json.dumps(document).encode(), status, "application/json")


def _refusal(code: str, description: str) -> Reply:
    errors = [{"code": code, "description": description}]
    return _json({"message": "Token request failed", "errors": errors}, 422)
