"""A local Sigstore: a certificate authority, a certificate log and a transparency log, with real signatures.

With its trust root, the code that verifies attestations of the public Sigstore verifies its attestations too.
"""

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PUBLISH = "https://docs.pypi.org/attestations/publish/v1"
SLSA = "https://slsa.dev/provenance/v1"

FULCIO = "1.3.6.1.4.1.57264.1."
ISSUER, SOURCE, SOURCE_DIGEST, SOURCE_REF, BUILD_CONFIG, ENVIRONMENT = "8", "12", "13", "14", "18", "23"
"""The claims of a certificate about the build, by the last number of their identifiers."""

SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
SHA256_ECDSA = b"\x04\x03"
STATEMENT = "application/vnd.in-toto+json"

GITHUB = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True)
class Builder:
    """A workflow of a repository, the identity that a CI system certifies.

    Attributes:
        repository: as ``OWNER/NAME``.
        workflow: its file.
        ref: the branch or tag that it ran for.
        commit: its hash.
        environment: the deployment environment of its job, if it has one.
        tag: the type of the claims in the certificate (X.690); UTF8String is correct.
    """

    repository: str = "acme/sample"
    workflow: str = "release.yml"
    ref: str = "refs/tags/v1.0"
    commit: str = "1f2e3d4c5b6a79880f1e2d3c4b5a69788f7e6d5c"
    environment: str | None = None
    tag: int = 0x0C

    @property
    def config(self) -> str:
        """The URL of the workflow."""
        return f"https://github.com/{self.repository}/.github/workflows/{self.workflow}@{self.ref}"

    def claims(self) -> dict[str, str]:
        """The claims of its certificate."""
        claims = {
            ISSUER: GITHUB,
            SOURCE: f"https://github.com/{self.repository}",
            SOURCE_DIGEST: self.commit,
            SOURCE_REF: self.ref,
            BUILD_CONFIG: self.config,
        }
        return claims if self.environment is None else {**claims, ENVIRONMENT: self.environment}


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class LocalSigstore:
    """Issues certificates to builders, and creates their attestations."""

    authority_key: ec.EllipticCurvePrivateKey = field(default_factory=_new_key)
    certificates_key: ec.EllipticCurvePrivateKey = field(default_factory=_new_key)
    log_key: ec.EllipticCurvePrivateKey = field(default_factory=_new_key)

    def __post_init__(self) -> None:
        self._name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Local"),
                x509.NameAttribute(NameOID.COMMON_NAME, "ca"),
            ]
        )
        self._authority = self._new_authority()

    def write_trust_root(self, folder: Path) -> Path:
        """Write the trust root to a file for ``sigstore``."""
        start = {"start": "2020-01-01T00:00:00Z"}
        authority = _text(self._authority.public_bytes(Encoding.DER))
        document = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log("https://rekor.invalid", self.log_key, start)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "Local", "commonName": "ca"},
                    "uri": "https://fulcio.invalid",
                    "certChain": {"certificates": [{"rawBytes": authority}]},
                    "validFor": start,
                }
            ],
            "ctlogs": [_log("https://ct.invalid", self.certificates_key, start)],
            "timestampAuthorities": [],
        }
        path = folder / "trusted_root.json"
        path.write_text(json.dumps(document))
        return path

    def attest(
        self,
        filename: str,
        sha256: str,
        builder: Builder | None = None,
        *,
        predicate: str = PUBLISH,
        statement_type: str = "https://in-toto.io/Statement/v1",
        payload_type: str = STATEMENT,
    ) -> bytes:
        """Return an attestation (PEP 740) of a file by a builder."""
        statement = json.dumps(
            {
                "_type": statement_type,
                "subject": [{"name": filename, "digest": {"sha256": sha256}}],
                "predicateType": predicate,
                "predicate": None if predicate == PUBLISH else {},
            }
        ).encode()
        key = _new_key()
        certificate = self._certificate(key.public_key(), builder or Builder())
        sealed = f"DSSEv1 {len(payload_type)} {payload_type} {len(statement)} ".encode() + statement
        signature = _sign(key, sealed)
        document = {
            "version": 1,
            "verification_material": {
                "certificate": _text(certificate.public_bytes(Encoding.DER)),
                "transparency_entries": [self._entry(statement, signature, certificate)],
            },
            "envelope": {"statement": _text(statement), "signature": _text(signature)},
        }
        return json.dumps(document).encode()

    def _new_authority(self) -> x509.Certificate:
        key = self.authority_key.public_key()
        usage = _usage(digital_signature=False, signs_certificates=True)
        return (
            _builder(self._name, self._name, key, timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .sign(self.authority_key, hashes.SHA256())
        )

    def _certificate(self, key: ec.EllipticCurvePublicKey, builder: Builder) -> x509.Certificate:
        """Return a certificate with a timestamp of the certificate log, which covers the rest of it."""
        unsigned = _builder(x509.Name([]), self._name, key, timedelta(minutes=10)).add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(builder.config)]), critical=True
        )
        unsigned = unsigned.add_extension(_usage(digital_signature=True), critical=True)
        unsigned = unsigned.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
        )
        unsigned = unsigned.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority_key.public_key()),
            critical=False,
        )
        for number, text in builder.claims().items():
            oid = x509.ObjectIdentifier(FULCIO + number)
            unsigned = unsigned.add_extension(
                x509.UnrecognizedExtension(oid, _der(builder.tag, text.encode())), False
            )
        draft = unsigned.add_extension(_promises(b"\0" * 9, self.certificates_key, 0), critical=False)
        bare = draft.sign(self.authority_key, hashes.SHA256()).tbs_precertificate_bytes
        now = int(datetime.now(UTC).timestamp() * 1000)
        issuer = hashlib.sha256(_public(self.authority_key)).digest()
        promised = (
            struct.pack("!BBQH", 0, 0, now, 1) + issuer + struct.pack("!I", len(bare))[1:] + bare + b"\0\0"
        )
        promise = _promises(_sign(self.certificates_key, promised), self.certificates_key, now)
        return unsigned.add_extension(promise, critical=False).sign(self.authority_key, hashes.SHA256())

    def _entry(self, statement: bytes, signature: bytes, certificate: x509.Certificate) -> dict[str, Any]:
        """Return the only entry of a transparency log, with its inclusion proof."""
        body = json.dumps(
            {
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(b"").hexdigest()},
                    "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(statement).hexdigest()},
                    "signatures": [
                        {
                            "signature": _text(signature),
                            "verifier": _text(certificate.public_bytes(Encoding.PEM)),
                        }
                    ],
                },
            },
            sort_keys=True,
            separators=(",", ":"),
        ).encode()
        log_id = hashlib.sha256(_public(self.log_key)).digest()
        now = int(datetime.now(UTC).timestamp())
        root = hashlib.sha256(b"\0" + body).digest()
        note = f"rekor.invalid - 1\n1\n{_text(root)}\n"
        signed = _text(log_id[:4] + _sign(self.log_key, note.encode()))
        promised = json.dumps(
            {"body": _text(body), "integratedTime": now, "logID": log_id.hex(), "logIndex": 0},
            sort_keys=True,
            separators=(",", ":"),
        ).encode()
        return {
            "logIndex": "0",
            "logId": {"keyId": _text(log_id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(now),
            "inclusionPromise": {"signedEntryTimestamp": _text(_sign(self.log_key, promised))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _text(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\u2014 rekor.invalid {signed}\n"},
            },
            "canonicalizedBody": _text(body),
        }


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta
) -> x509.CertificateBuilder:
    start = datetime.now(UTC) - timedelta(minutes=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
    )


def _usage(*, digital_signature: bool, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _promises(
    signature: bytes, key: ec.EllipticCurvePrivateKey, milliseconds: int
) -> x509.UnrecognizedExtension:
    """Return a list of one signed certificate timestamp (RFC 6962, section 3.3)."""
    log = hashlib.sha256(_public(key)).digest()
    one = b"\0" + log + struct.pack("!QH", milliseconds, 0) + SHA256_ECDSA
    one += struct.pack("!H", len(signature)) + signature
    listed = struct.pack("!H", len(one)) + one
    return x509.UnrecognizedExtension(SCT_LIST, _der(0x04, struct.pack("!H", len(listed)) + listed))


def _log(url: str, key: ec.EllipticCurvePrivateKey, valid: dict[str, str]) -> dict[str, Any]:
    public = _public(key)
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _text(public),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": valid,
        },
        "logId": {"keyId": _text(hashlib.sha256(public).digest())},
    }


def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
