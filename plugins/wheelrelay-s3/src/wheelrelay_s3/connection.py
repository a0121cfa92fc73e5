"""Connect to an S3 server, and renew the session when its credentials expire.

botocore handles profiles, credentials, endpoints and signatures; `wheelrelay_s3.transport` sends requests.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, TypeVar

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config

from wheelrelay.config import SecretValue, register_secret
from wheelrelay.errors import AuthenticationFailed, ConfigError, WheelrelayError
from wheelrelay.http import is_secure
from wheelrelay_s3.credentials import RenewedKeys, require_absence
from wheelrelay_s3.direct import DirectUploads
from wheelrelay_s3.errors import credential_errors, missing_credentials, s3_errors
from wheelrelay_s3.listings import parse_time, read_objects_apart
from wheelrelay_s3.models import load_models_by_name
from wheelrelay_s3.signing import sign_declared_digests
from wheelrelay_s3.sigv4 import Keys
from wheelrelay_s3.transport import Transport

Result = TypeVar("Result")

_TEMPORARY_KEYS = 3
"""Number of texts in temporary credentials: key, secret and session token."""

_NOISY_LOGGER = "botocore"
"""It logs warnings with tracebacks; without a handler, Python prints them to stderr."""


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How to connect to an S3 server.

    Attributes:
        address: ``s3://bucket``, for messages.
        keys: ``key``, ``secret`` and ``token``, as far as they are configured.
        endpoint_url: Address of the server; Amazon's by default.
        region: Region; by default from the AWS configuration.
        profile: Profile of the AWS configuration to read credentials from.
        anonymous: Whether to send requests without credentials.
        timeout: Seconds to wait for an answer; ``None`` for the default.
        addressing_style: Whether the bucket is part of the host (``virtual``) or of the path (``path``).
    """

    address: str
    keys: Mapping[str, SecretValue] = field(default_factory=dict)
    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    anonymous: bool = False
    timeout: float | None = None
    addressing_style: str = "auto"


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """A client and the credentials that it signs requests with.

    Attributes:
        client: The client of botocore.
        transport: Sends its requests.
        credentials: Key, secret and session token, as far as there are any.
        uploads: Sends small uploads without the client.
    """

    client: Any
    transport: Transport
    credentials: tuple[str, ...] = field(repr=False)
    uploads: DirectUploads

    def call(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """Call one operation of the S3 API, and return the answer.

        Args:
            operation: Method of the client, such as ``put_object``.
            parameters: Parameters with the API's names.

        Raises:
            Exception: Those of botocore, and ours; see `wheelrelay_s3.errors`.
        """
        method = self.uploads.put if operation == "put_object" else getattr(self.client, operation)
        answer: Mapping[str, Any] = method(**parameters)
        return answer

    def close(self) -> None:
        """Close the client's connections."""
        self.client.close()
        self.transport.close()


class SessionPool:
    """The current session of one configuration, shared by any number of threads.

    Args:
        log_in: Creates a session with the credentials that are valid now.
        secrets: Secrets that ``log_in`` reads; they are resolved again after the server refused them.
    """

    def __init__(self, log_in: Callable[[], Session], secrets: Iterable[SecretValue]) -> None:
        logging.getLogger(_NOISY_LOGGER).addHandler(logging.NullHandler())
        self._log_in = log_in
        self._secrets = tuple(secrets)
        self._lock = Lock()
        self._refused: Session | None = None
        # Earlier sessions stay open: other threads may still read from them.
        self._sessions = [log_in()]

    @property
    def current(self) -> Session:
        """The session to use now."""
        return self._sessions[-1]

    def call(self, request: Callable[[Session], Result]) -> Result:
        """Send a request, and once more with new credentials if the server refuses the current ones.

        Temporary keys are valid for about an hour and may expire during a transfer.

        Raises:
            AuthenticationFailed: The server refuses the credentials, and there are no newer ones.
        """
        session = self.current
        try:
            return request(session)
        except AuthenticationFailed:
            renewed = self._renew(session)
            if renewed.credentials == session.credentials:
                raise
        return request(renewed)

    def _renew(self, refused: Session) -> Session:
        """Return a session with other credentials if there are any; each session is renewed only once."""
        with self._lock:
            if self.current is refused and self._refused is not refused:
                self._refused = refused
                for secret in self._secrets:
                    secret.renew()
                with suppress(WheelrelayError):  # the refusal is the error to report
                    self._add(self._log_in())
            return self.current

    def _add(self, renewed: Session) -> None:
        if renewed.credentials == self.current.credentials:
            renewed.close()
        else:
            self._sessions.append(renewed)

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions:
            session.close()


@contextmanager
def connect(options: ConnectionOptions) -> Iterator[SessionPool]:
    """Connect to an S3 server; the context closes all connections at its end.

    Raises:
        MissingSecret: There are no credentials.
        AuthenticationFailed: Credentials are configured, but their provider fails.
        ConfigError: The profile, the region or the endpoint is unusable, or a session token would be sent
            over plain HTTP.
    """
    sessions = SessionPool(partial(_log_in, options), options.keys.values())
    try:
        yield sessions
    finally:
        sessions.close()


def _log_in(options: ConnectionOptions) -> Session:
    """Create a client with the credentials that are valid now; errors in them show here."""
    keys = {name: secret.get() for name, secret in options.keys.items()}
    with s3_errors(options.address):
        session = botocore.session.Session(profile=options.profile)
        load_models_by_name(session)
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse_time)
        client = _client(session, options, keys)
        transport = Transport(session.get_config_variable("ca_bundle"), options.timeout)
    transport.attach(client)
    sign_declared_digests(client)
    read_objects_apart(client)
    try:
        credentials = tuple(keys.values())
        current_keys: Callable[[], Keys] | None = partial(Keys, *credentials) if keys else None
        if not keys and not options.anonymous:
            credentials = _default_credentials(options, session)
            current_keys = RenewedKeys(session.get_credentials())
        _require_tls_for_token(credentials, client.meta.endpoint_url, options.address)
    except BaseException:
        client.close()
        transport.close()
        raise
    return Session(client, transport, credentials, DirectUploads(client, transport, current_keys))


def _require_tls_for_token(credentials: tuple[str, ...], endpoint: str, address: str) -> None:
    """Raise if a session token would be sent over plain HTTP."""
    if len(credentials) == _TEMPORARY_KEYS and not is_secure(endpoint):
        raise ConfigError(
            f"The session token for {address} would be sent to {endpoint} over plain HTTP.",
            hint="Use an https endpoint_url.",
        )


def _default_credentials(options: ConnectionOptions, session: Any) -> tuple[str, ...]:
    """Return the credentials that AWS's own tools would use.

    Raises:
        MissingSecret: There are none, and nothing indicates that there should be.
    """
    with credential_errors(options.address):
        provided = session.get_credentials()
        if provided is None:
            require_absence(options.profile, session, options.address)
            raise missing_credentials(options.address)
        frozen = provided.get_frozen_credentials()
    register_secret(frozen.secret_key, frozen.token)
    return tuple(filter(None, (frozen.access_key, frozen.secret_key, frozen.token)))


def _client(session: Any, options: ConnectionOptions, keys: Mapping[str, str]) -> Any:
    """Create the client without retries and additional checksums.

    The engine retries, and `wheelrelay_s3.uploads` sends its own checksums.
    """
    return session.create_client(
        "s3",
        region_name=options.region,
        endpoint_url=options.endpoint_url,
        aws_access_key_id=keys.get("key"),
        aws_secret_access_key=keys.get("secret"),
        aws_session_token=keys.get("token"),
        config=Config(
            signature_version=UNSIGNED if options.anonymous else None,
            retries={"total_max_attempts": 1, "mode": "standard"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            user_agent="",  # botocore would put it together for each request; the HTTP client has its own
            s3={"addressing_style": options.addressing_style},
            parameter_validation=False,  # our types are checked before; for each request it takes time
        ),
    )
