"""Where a response redirects to, and whether credentials may follow."""

from contextlib import suppress
from urllib.parse import urljoin

from wheelrelay.errors import BackendError, ConfigError, Rejected
from wheelrelay.http.response import Response
from wheelrelay.http.urls import display_origin, display_url, origin_of, request_url


class CrossOriginRedirect(Rejected):
    """A page redirects to another origin, which is not allowed.

    Args:
        message: what happened.
        target: the URL that it redirects to.
        status: the HTTP status.
        hint: what to do about it.
    """

    def __init__(self, message: str, *, target: str, status: int, hint: str) -> None:
        super().__init__(message, status=status, hint=hint)
        self.target = target


def redirect_target(response: Response) -> str:
    """Return the URL that a response redirects to.

    Raises:
        BackendError: its ``Location`` is not a usable URL.
    """
    location = response.headers["Location"]
    with suppress(UnicodeError):  # some servers send UTF-8, although only ASCII is allowed
        location = location.encode("latin-1").decode("utf-8")
    try:
        return request_url(urljoin(response.url, location))
    except (ConfigError, ValueError) as error:
        reason = str(error).rstrip(".")
        raise BackendError(f"{display_url(response.url)} redirects to an invalid URL: {reason}.") from error


def cross_origin_redirect(response: Response, target: str) -> CrossOriginRedirect:
    """Return the error for a response that redirects to another host."""
    return CrossOriginRedirect(
        f"{display_url(response.url)} redirects to another host, {display_origin(target)}, "
        "which may serve different files.",
        target=target,
        status=response.status_code,
        hint="Use the URL of the other host if it is the one you want, or disable the redirect on the server "
        "(pypiserver: --disable-fallback).",
    )


def keeps_credentials(url: str, target: str) -> bool:
    """Return whether a redirect stays on the origin, or changes from HTTP to HTTPS on the default ports."""
    origin, target_origin = origin_of(url), origin_of(target)
    is_upgrade = (origin, target_origin) == (("http", origin[1], 80), ("https", origin[1], 443))
    return origin == target_origin or is_upgrade
