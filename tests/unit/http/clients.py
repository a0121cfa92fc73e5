"""Clients of the HTTP tests, and what servers received from them."""

from wheelrelay.http import (
    BasicAuth,
    HttpClient,
)

SECRET = "hunter2"


def client_for(*origins, allow_insecure=False, ca_cert=None):
    """A client with credentials for some origins."""
    return HttpClient(
        auth=BasicAuth("me", SECRET),
        origins=origins,
        allow_insecure=allow_insecure,
        ca_cert=str(ca_cert) if ca_cert else None,
    )


def fetch(client, url):
    """The content at ``url``."""
    with client.get(url) as response:
        return response.content


def authorizations(web):
    """The credentials of each request that came in."""
    return [request.headers.get("authorization") for request in web.requests]
