"""The local Sigstore as a service: jobs exchange their identity for a certificate, and log what they sign.

It implements the two requests that signing makes: Fulcio's ``/api/v2/signingCert`` and Rekor's
``/api/v1/log/entries``. `job_environment` makes the sigstore client of a child process use it instead of the
public one.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from tests.servers.sigstore import Builder, LocalSigstore
from tests.servers.web import Reply, Request, Web, run_web

VALID = {"start": "2020-01-01T00:00:00Z"}

CLIENT = """
from sigstore.models import ClientTrustConfig

with open({path!r}) as file:
    CONFIG = file.read()
ClientTrustConfig.production = classmethod(lambda cls, offline=False: cls.from_json(CONFIG))
"""
"""A ``sitecustomize`` for a child process: its sigstore client reads this configuration, and no network's."""


class SigstoreService(Web):
    """Issues certificates and log entries.

    Attributes:
        sigstore: the authority and the logs.
        signed: the names of the files that were signed, in order.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.sigstore = LocalSigstore()
        self.signed: list[str] = []

    def reply_to(self, request: Request) -> Reply:
        """Respond like Fulcio or Rekor."""
        document = json.loads(request.body)
        if request.path == "/api/v2/signingCert":
            return self._certificate(document, request.headers["authorization"].removeprefix("Bearer "))
        if request.path == "/api/v1/log/entries":
            return self._log_entry(document["spec"]["proposedContent"])
        return Reply(status=404)

    def job_environment(self, folder: Path) -> dict[str, str]:
        """Return the variables of a job that signs here; ``folder`` gets its configuration."""
        trust_root = json.loads(self.sigstore.write_trust_root(folder).read_text())
        service = {"url": self.url.rstrip("/"), "majorApiVersion": 1, "validFor": VALID, "operator": "local"}
        config = {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": trust_root,
            "signingConfig": {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "caUrls": [service],
                "oidcUrls": [service],
                "rekorTlogUrls": [service],
                "rekorTlogConfig": {"selector": "ANY"},
                "tsaUrls": [],
                "tsaConfig": {"selector": "ANY"},
            },
        }
        path = folder / "trust_config.json"
        path.write_text(json.dumps(config))
        (folder / "sitecustomize.py").write_text(CLIENT.format(path=str(path)))
        return {"PYTHONPATH": str(folder)}

    def _certificate(self, document: Any, identity: str) -> Reply:
        request = x509.load_pem_x509_csr(base64.b64decode(document["certificateSigningRequest"]))
        claims = _claims(identity)
        assert claims["aud"] == "sigstore"
        key = request.public_key()
        assert isinstance(key, EllipticCurvePublicKey)
        repository, workflow, ref = _workflow(claims["workflow_ref"])
        certificate = self.sigstore._certificate(key, Builder(repository, workflow, ref))
        chain = [_pem(certificate), _pem(self.sigstore._authority)]
        return _json({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}})

    def _log_entry(self, content: Any) -> Reply:
        envelope = json.loads(content["envelope"])
        statement = base64.b64decode(envelope["payload"])
        signature = base64.b64decode(envelope["signatures"][0]["sig"])
        certificate = x509.load_pem_x509_certificate(base64.b64decode(content["verifiers"][0]))
        entry = self.sigstore._entry(statement, signature, certificate)
        self.signed.append(json.loads(statement)["subject"][0]["name"])
        proof = entry["inclusionProof"]
        verification = {
            "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "inclusionProof": {
                "checkpoint": proof["checkpoint"]["envelope"],
                "hashes": [],
                "logIndex": int(proof["logIndex"]),
                "rootHash": base64.b64decode(proof["rootHash"]).hex(),
                "treeSize": int(proof["treeSize"]),
            },
        }
        logged = {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
            "logIndex": int(entry["logIndex"]),
            "verification": verification,
        }
        return _json({"ab" * 32: logged}, 201)


@contextmanager
def run_sigstore() -> Iterator[SigstoreService]:
    """Run the service for the duration of the context."""
    with run_web(web=SigstoreService) as service:
        assert isinstance(service, SigstoreService)
        yield service


def _claims(identity: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(identity.split(".")[1] + "=="))
    return claims


def _workflow(workflow_ref: str) -> tuple[str, str, str]:
    """Return the repository, the file and the ref of a workflow."""
    path, _, ref = workflow_ref.partition("@")
    repository, _, workflow = path.partition("/.github/workflows/")
    return repository, workflow, ref


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _json(document: object, status: int = 200) -> Reply:
    return Reply(json.dumps(document).encode(), status, "application/json")
