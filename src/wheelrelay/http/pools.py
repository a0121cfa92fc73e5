"""Connection pools that all threads share, with their proxies and TLS settings."""

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
from wheelrelay.http.auth import basic_auth_header
from wheelrelay.http.exchange import Exchanges
from wheelrelay.http.limits import TimeLimits
from wheelrelay.http.timed import enforce_limits
from wheelrelay.http.urls import Origin, is_loopback, origin_of
from wheelrelay.redaction import register_secret
from wheelrelay.staged import BLOCK_SIZE

if TYPE_CHECKING:
    from urllib3 import PoolManager

MAX_HOSTS = 16
"""Hosts that connections are kept for."""

MAX_CONNECTIONS = 64
"""Connections that are kept for one host."""


class Pools:
    """The connection pools of one client.

    Args:
        ca_cert: path of a CA bundle to use instead of the default one.
        client_cert: path of a client certificate with its key.
        limits: how long servers may take.
        own_origins: the origins that receive the client certificate.

    Raises:
        ConfigError: a certificate file does not exist.
    """

    def __init__(
        self, ca_cert: str | None, client_cert: str | None, limits: TimeLimits, own_origins: Set[Origin]
    ) -> None:
        for path in (ca_cert, client_cert):
            if path and not Path(path).exists():
                raise ConfigError(f"The certificate {path} does not exist.")
        self._ca_cert = ca_cert
        self._client_cert = client_cert
        self._limits = limits
        self._own_origins = own_origins
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._by_settings: dict[tuple[str | None, bool, bool], PoolManager] = {}
        self._by_origin: dict[Origin, PoolManager] = {}
        self._exchanges: dict[Origin, Exchanges | None] = {}
        self._lock = threading.Lock()

    def pool_for(self, url: str) -> "PoolManager":
        """Return the pool for ``url``, which uses a proxy if the environment configures one.

        Raises:
            ConfigError: a certificate or the proxy's URL cannot be used.
        """
        origin = origin_of(url)
        with self._lock:
            if origin not in self._by_origin:
                with_cert = self._client_cert is not None and origin in self._own_origins
                self._by_origin[origin] = self._pool(
                    proxy_for(url), tls=origin[0] == "https", with_cert=with_cert
                )
            return self._by_origin[origin]

    def exchanges_for(self, url: str) -> Exchanges | None:
        """Return the connections for small requests to ``url``; ``None`` if it uses a proxy.

        Raises:
            ConfigError: a certificate cannot be used.
        """
        origin = origin_of(url)
        with self._lock:
            if origin not in self._exchanges:
                self._exchanges[origin] = None if proxy_for(url) else self._new_exchanges(origin)
            return self._exchanges[origin]

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for pool in self._by_settings.values():
                pool.clear()
            for exchanges in filter(None, self._exchanges.values()):
                exchanges.close()
            self._by_settings.clear()
            self._by_origin.clear()
            self._exchanges.clear()

    def _new_exchanges(self, origin: Origin) -> Exchanges:
        scheme, host, port = origin
        with_cert = self._client_cert is not None and origin in self._own_origins
        context = self._context(with_cert=with_cert) if scheme == "https" else None
        return Exchanges(host, port or 0, context, self._limits)

    def _pool(self, proxy: str | None, *, tls: bool, with_cert: bool) -> "PoolManager":
        if (proxy, tls, with_cert) not in self._by_settings:
            pool = self._new_pool(proxy, self._context(with_cert=with_cert) if tls else None)
            enforce_limits(pool, self._limits)
            self._by_settings[proxy, tls, with_cert] = pool
        return self._by_settings[proxy, tls, with_cert]

    def _new_pool(self, proxy: str | None, context: ssl.SSLContext | None) -> "PoolManager":
        from urllib3 import PoolManager, ProxyManager
        from urllib3.util import Timeout

        options: dict[str, Any] = {
            "num_pools": MAX_HOSTS,
            "maxsize": MAX_CONNECTIONS,
            "retries": False,
            "timeout": Timeout(connect=self._limits.connect, read=self._limits.timeout),
            "blocksize": BLOCK_SIZE,  # the default of 16 KiB makes uploads CPU-bound
            "ssl_context": context,
        }
        if proxy is None:
            return PoolManager(**options)
        parts = _parse_proxy(proxy)
        if parts.scheme.startswith("socks"):
            return _socks_pool(proxy, options)
        headers = None
        if parts.username:
            login = basic_auth_header(unquote(parts.username), unquote(parts.password or ""))
            headers = {"Proxy-Authorization": login}
        address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        return ProxyManager(address, proxy_headers=headers, **options)

    def _context(self, *, with_cert: bool) -> ssl.SSLContext:
        """Return the TLS settings; they are shared by all pools because loading a CA bundle is slow."""
        if with_cert not in self._contexts:
            self._contexts[with_cert] = self._new_context(self._client_cert if with_cert else None)
        return self._contexts[with_cert]

    def _new_context(self, client_cert: str | None) -> ssl.SSLContext:
        from urllib3.util import create_urllib3_context

        context = create_urllib3_context()
        bundle = self._ca_cert or _default_bundle()
        try:
            location = {"capath": bundle} if Path(bundle).is_dir() else {"cafile": bundle}
            context.load_verify_locations(**location)
        except OSError as error:
            raise ConfigError(f"Cannot load the CA bundle {bundle}: {error.strerror or error}.") from error
        try:
            if client_cert:
                context.load_cert_chain(client_cert)
        except OSError as error:
            raise ConfigError(
                f"Cannot load the client certificate {client_cert}: {error.strerror or error}.",
                hint="It must be a PEM file with the certificate and its key.",
            ) from error
        return context


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment or the system settings configure for ``url``, if any.

    Loopback addresses never use a proxy: on another machine the address would mean that machine, and data
    that is sent to it in plain text would leave this one.
    """
    if not _may_have_proxies() or is_loopback(url):
        return None
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    if proxy_bypass(f"{host}:{parts.port}" if parts.port else host) or _is_in_excluded_network(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy is None:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _parse_proxy(proxy: str) -> SplitResult:
    """Return the parts of a proxy's URL.

    Raises:
        ConfigError: it is not a usable URL. The message does not quote it, because it may hold a password.
    """
    with suppress(ValueError):
        parts = urlsplit(proxy)
        register_secret(unquote(parts.password or ""))
        if parts.hostname and parts.port != 0 and not re.search(r"[\s%/?#@]", parts.hostname):
            return parts
    raise ConfigError(
        "The proxy URL in the environment cannot be used.",
        hint="Set HTTP_PROXY or HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT, and percent-encode the "
        "characters :/?#[]@ in user and password (%2F, for example).",
    )


def _may_have_proxies() -> bool:
    """Return whether a proxy may be configured; looking closer needs an import that is slow."""
    has_system_settings = sys.platform in ("darwin", "win32")
    return has_system_settings or any(name.lower().endswith("_proxy") for name in os.environ)


def _is_in_excluded_network(host: str) -> bool:
    """Return whether an IP address is in a network that ``NO_PROXY`` lists (``10.0.0.0/8``, for example)."""
    entries = (os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "").split(",")
    networks = [entry.strip() for entry in entries if "/" in entry]
    if not networks:
        return False
    from ipaddress import ip_address, ip_network

    try:
        return any(ip_address(host) in ip_network(network, strict=False) for network in networks)
    except ValueError:
        return False


def _default_bundle() -> str:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := os.environ.get(variable):
            return path
    from certifi import where

    return where()


def _socks_pool(proxy: str, options: dict[str, Any]) -> "PoolManager":
    try:
        from urllib3.contrib.socks import SOCKSProxyManager
    except ImportError as error:
        raise ConfigError(
            "The environment configures a SOCKS proxy, but the package PySocks is not installed.",
            hint="Install PySocks, or configure an HTTP proxy.",
        ) from error
    manager: PoolManager = SOCKSProxyManager(proxy, **options)
    return manager
