"""The one place that speaks HTTP: connections, credentials, answers, and what goes wrong, in our errors.

Nothing is retried here. Credentials go to the origin that they were made for and nowhere else: not after
a redirect to another host, and not over plain HTTP unless the host is this machine or the configuration
insists.
"""

from wheelrelay.http.auth import (
    Auth,
    BasicAuth,
    basic,
    netrc_file,
    netrc_login,
    warn_if_others_may_read,
)
from wheelrelay.http.client import HttpClient, RedirectsAway, target_of
from wheelrelay.http.faults import fault_for, mapped_errors
from wheelrelay.http.limits import (
    CONNECT_TIMEOUT,
    DEFAULT_TIMEOUT,
    READ_TIMEOUT,
    TimeLimits,
    override_timeout,
    time_limits,
    usable_timeout,
)
from wheelrelay.http.ranges import is_part_from, part_wanted
from wheelrelay.http.response import RawBody, Response
from wheelrelay.http.statuses import (
    SAID_BY_SERVER,
    error_for,
    raise_for,
    repeated,
    retry_after,
    seconds_to_wait,
    words_of,
)
from wheelrelay.http.urls import is_private, is_same_host, origin_of, requoted, shown, shown_origin

__all__ = [
    "CONNECT_TIMEOUT",
    "DEFAULT_TIMEOUT",
    "READ_TIMEOUT",
    "SAID_BY_SERVER",
    "Auth",
    "BasicAuth",
    "HttpClient",
    "RawBody",
    "RedirectsAway",
    "Response",
    "TimeLimits",
    "basic",
    "error_for",
    "fault_for",
    "is_part_from",
    "is_private",
    "is_same_host",
    "mapped_errors",
    "netrc_file",
    "netrc_login",
    "origin_of",
    "override_timeout",
    "part_wanted",
    "raise_for",
    "repeated",
    "requoted",
    "retry_after",
    "seconds_to_wait",
    "shown",
    "shown_origin",
    "target_of",
    "time_limits",
    "usable_timeout",
    "warn_if_others_may_read",
    "words_of",
]
