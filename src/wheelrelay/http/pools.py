"""Connections that are kept open and shared by all threads: their proxies, and the TLS that is wanted."""

import os
import re
import ssl
import sys
import threading
from collections.abc import Set
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from wheelrelay.errors import ConfigError
from wheelrelay.http.auth import basic
from wheelrelay.http.connections import hold_to
from wheelrelay.http.limits import TimeLimits
from wheelrelay.http.urls import is_local, origin_of
from wheelrelay.redaction import keep_secret
from wheelrelay.staged import BLOCK

if TYPE_CHECKING:
    from urllib3 import PoolManager

Origin = tuple[str, str, int | None]
"""Scheme, host and port."""

HOSTS, CONNECTIONS = 16, 64
"""How many hosts connections are kept for, and how many to each."""


class Pools:
    """The connections of one client.

    Args:
        ca_cert: path of a CA bundle to trust instead of the usual one.
        client_cert: path of a client certificate with its key.
        limits: how long the servers may take.
        own: the origins that are shown the client certificate.

    Raises:
        ConfigError: one of the files is not there.
    """

    def __init__(
        self, ca_cert: str | None, client_cert: str | None, limits: TimeLimits, own: Set[Origin]
    ) -> None:
        for path in (ca_cert, client_cert):
            if path and not Path(path).exists():
                raise ConfigError(f"The certificate {path} is not there.")
        self._ca_cert = ca_cert
        self._client_cert = client_cert
        self._limits = limits
        self._own = own
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._by_kind: dict[tuple[str | None, bool, bool], PoolManager] = {}
        self._by_origin: dict[Origin, PoolManager] = {}
        self._lock = threading.Lock()

    def leading_to(self, url: str) -> "PoolManager":
        """The connections by which ``url`` is reached; the proxy that the environment names, if it does.

        Raises:
            ConfigError: a certificate or the proxy's address cannot be used.
        """
        origin = origin_of(url)
        with self._lock:
            if origin not in self._by_origin:
                shows = self._client_cert is not None and origin in self._own
                self._by_origin[origin] = self._by(proxy_for(url), tls=origin[0] == "https", shows=shows)
            return self._by_origin[origin]

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for pools in self._by_kind.values():
                pools.clear()
            self._by_kind.clear()
            self._by_origin.clear()

    def _by(self, proxy: str | None, *, tls: bool, shows: bool) -> "PoolManager":
        """The connections by way of a proxy, with TLS or without, that show the certificate or not."""
        if tls and shows not in self._contexts:
            self._contexts[shows] = self._new_context(self._client_cert if shows else None)
        if (proxy, tls, shows) not in self._by_kind:
            pools = self._new_pools(proxy, self._contexts[shows] if tls else None)
            hold_to(self._limits, pools)
            self._by_kind[proxy, tls, shows] = pools
        return self._by_kind[proxy, tls, shows]

    def _new_pools(self, proxy: str | None, context: ssl.SSLContext | None) -> "PoolManager":
        from urllib3 import PoolManager, ProxyManager
        from urllib3.util import Timeout

        options: dict[str, Any] = {
            "num_pools": HOSTS,
            "maxsize": CONNECTIONS,
            "retries": False,
            "timeout": Timeout(connect=self._limits.connect, read=self._limits.timeout),
            "blocksize": BLOCK,  # the usual 16 KiB make uploads CPU-bound
            "ssl_context": context,
        }
        if proxy is None:
            return PoolManager(**options)
        parts = _usable_proxy(proxy)
        if parts.scheme.startswith("socks"):
            return _socks_pools(proxy, options)
        login = basic(unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        return ProxyManager(
            parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(),
            proxy_headers={"Proxy-Authorization": login} if login else None,
            **options,
        )

    def _new_context(self, client_cert: str | None) -> ssl.SSLContext:
        """What TLS connections trust and show; made once, for reading a bundle takes its time."""
        from urllib3.util import create_urllib3_context

        context = create_urllib3_context()
        bundle = self._ca_cert or _usual_bundle()
        try:
            where = {"capath": bundle} if Path(bundle).is_dir() else {"cafile": bundle}
            context.load_verify_locations(**where)
        except OSError as error:
            raise ConfigError(f"The CA bundle {bundle} cannot be used: {error.strerror or error}.") from error
        try:
            if client_cert:
                context.load_cert_chain(client_cert)
        except OSError as error:
            raise ConfigError(
                f"The client certificate {client_cert} cannot be used: {error.strerror or error}.",
                hint="It has to be a PEM file with the certificate and its key.",
            ) from error
        return context


def proxy_for(url: str) -> str | None:
    """The proxy that the environment, or the system's settings, name for ``url``; none to ask it directly.

    What is within this machine is asked directly in any case: to a proxy elsewhere its address would mean
    another machine, and what is sent to it in plain text would leave this one.
    """
    if not _may_name_proxies() or is_local(url):
        return None
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    if proxy_bypass(f"{host}:{parts.port}" if parts.port else host) or _is_in_network_without_proxy(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy is None:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _usable_proxy(proxy: str) -> SplitResult:
    """The parts of a proxy's address.

    Raises:
        ConfigError: it is none; it is not repeated, for it may hold a password.
    """
    with suppress(ValueError):
        parts = urlsplit(proxy)
        keep_secret(unquote(parts.password or ""))
        if parts.hostname and parts.port != 0 and not re.search(r"[\s%/?#@]", parts.hostname):
            return parts
    raise ConfigError(
        "The proxy that the environment names is not a usable address.",
        hint="Write http://USER:PASSWORD@HOST:PORT in HTTP_PROXY or HTTPS_PROXY, and in user and password a "
        "percent code in place of each of :/?#[]@, as %2F.",
    )


def _may_name_proxies() -> bool:
    """Whether there is anything that could name a proxy; to look closer takes an import of some weight."""
    elsewhere = sys.platform in ("darwin", "win32")  # in the system's settings
    return elsewhere or any(name.lower().endswith("_proxy") for name in os.environ)


def _is_in_network_without_proxy(host: str) -> bool:
    """Whether ``NO_PROXY`` names a network, as ``10.0.0.0/8``, that an address is in."""
    named = (os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "").split(",")
    networks = [each.strip() for each in named if "/" in each]
    if not networks:
        return False
    from ipaddress import ip_address, ip_network

    try:
        return any(ip_address(host) in ip_network(each, strict=False) for each in networks)
    except ValueError:
        return False


def _usual_bundle() -> str:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(variable):
            return path
    from certifi import where

    return where()


def _socks_pools(proxy: str, options: dict[str, Any]) -> "PoolManager":
    try:
        from urllib3.contrib.socks import SOCKSProxyManager
    except ImportError as error:
        raise ConfigError(
            "The environment names a SOCKS proxy, and the package PySocks is not installed.",
            hint="Install it, or name a proxy that speaks HTTP.",
        ) from error
    manager: PoolManager = SOCKSProxyManager(proxy, **options)
    return manager
