"""HTTP for backends: connections, credentials, responses and the errors they lead to.

This package retries nothing. Credentials go only to the origin that they belong to: they are dropped on a
redirect to another host, and never sent over plain HTTP, except to this machine or if the configuration
allows it.
"""

from wheelrelay.http.auth import (
    Auth,
    BasicAuth,
    basic_auth_header,
    netrc_login,
    netrc_path,
    warn_if_readable_by_others,
    warn_of_netrc,
)
from wheelrelay.http.client import NOT_MODIFIED, HttpClient
from wheelrelay.http.connection_errors import connection_error, map_errors
from wheelrelay.http.exchange import Answer
from wheelrelay.http.headers import content_range_starts_at, parse_retry_after, range_header
from wheelrelay.http.limits import (
    CONNECT_TIMEOUT,
    DEFAULT_TIMEOUT,
    READ_TIMEOUT,
    TimeLimits,
    override_timeout,
    time_limits,
    validate_timeout,
)
from wheelrelay.http.redirects import CrossOriginRedirect, redirect_target
from wheelrelay.http.response import RawBody, Response
from wheelrelay.http.signed import NoSigner, SignedClient, Signer, TokenSigner
from wheelrelay.http.status_errors import (
    MAX_QUOTED,
    raise_for_status,
    retry_after,
    sanitized,
    server_message,
    status_error,
)
from wheelrelay.http.urls import (
    display_origin,
    display_url,
    is_same_host,
    is_secure,
    normalize_url,
    origin_of,
)
from wheelrelay.http.verified import VerifiedBody

__all__ = [
    "CONNECT_TIMEOUT",
    "DEFAULT_TIMEOUT",
    "MAX_QUOTED",
    "NOT_MODIFIED",
    "READ_TIMEOUT",
    "Answer",
    "Auth",
    "BasicAuth",
    "CrossOriginRedirect",
    "HttpClient",
    "NoSigner",
    "RawBody",
    "Response",
    "SignedClient",
    "Signer",
    "TimeLimits",
    "TokenSigner",
    "VerifiedBody",
    "basic_auth_header",
    "connection_error",
    "content_range_starts_at",
    "display_origin",
    "display_url",
    "is_same_host",
    "is_secure",
    "map_errors",
    "netrc_login",
    "netrc_path",
    "normalize_url",
    "origin_of",
    "override_timeout",
    "parse_retry_after",
    "raise_for_status",
    "range_header",
    "redirect_target",
    "retry_after",
    "sanitized",
    "server_message",
    "status_error",
    "time_limits",
    "validate_timeout",
    "warn_if_readable_by_others",
    "warn_of_netrc",
]
