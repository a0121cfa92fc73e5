"""OpenStack Swift: account, container and object server on one device, and proxies in front of them.

The proxies authenticate with tempauth, and have Swift's API, the S3 API (``s3api``) and a web server
(``staticweb``).
"""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.servers.process import HOST, answers, free_port, running
from tests.servers.swift_node import FORGET

NODE = [sys.executable, "-P", "-m", "tests.servers.swift_node"]
NODE_ENV = {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONWARNINGS": "ignore"}

LIMIT = 5 * 2**30 + 2
"""The default limit of an object's size in bytes, as in Swift."""

_COMMON = f"""
bind_ip = {HOST}
swift_dir = {{folder}}
devices = {{devices}}
mount_check = false
fallocate_reserve = 0
workers = 0
log_udp_host = {HOST}
log_udp_port = 9
"""

_STORAGE = """
[DEFAULT]
bind_port = {port}
{common}
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

_PROXY = """
[DEFAULT]
bind_port = {port}
{common}
expose_info = true
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging cache listing_formats bulk tempurl formpost s3api tempauth staticweb copy slo dlo versioned_writes symlink proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:cache]
paste.filter_factory = tests.servers.swift_node:filter_factory
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
user_test_reader = reading
token_life = {token_life}
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
"""  # noqa: E501

_PLAIN_FILTERS = (
    *("catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "tempurl", "formpost"),
    *("staticweb", "copy", "slo", "dlo", "symlink"),
)

_CLUSTER = """
[swift-hash]
swift_hash_path_prefix = tests
swift_hash_path_suffix = tests
[storage-policy:0]
name = default
default = yes
[swift-constraints]
max_file_size = {limit}
"""


@dataclass(frozen=True, slots=True)
class Swift:
    """A running Swift proxy with its cluster.

    Attributes:
        url: its root, without a slash at the end; also the endpoint of the S3 API.
        auth_url: for auth version 1, without the version at the end.
        log: the file with a line for each request.
        username: of the account's administrator; also the access key of the S3 API.
        password: the administrator's; also the secret key of the S3 API.
        region: of the S3 API.
    """

    url: str
    auth_url: str
    log: Path
    username: str = "test:tester"
    password: str = "testing"
    region: str = "us-east-1"

    @property
    def storage_url(self) -> str:
        """Of the account."""
        return f"{self.url}/v1/AUTH_test"

    def token(self) -> str:
        """Return a new token of the administrator."""
        who = {"X-Auth-User": self.username, "X-Auth-Key": self.password}
        with _ask("GET", f"{self.auth_url}/v1.0", who) as answer:
            return str(answer.headers["X-Auth-Token"])

    def forget_tokens(self) -> None:
        """Invalidate all tokens, as a restart of memcached does."""
        answers(f"{self.url}{FORGET}")

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Send a request as the administrator, relative to the account, and return the body of the response.

        Raises:
            urllib.error.HTTPError: the request failed.
        """
        known = {"X-Auth-Token": self.token(), "Content-Type": "application/octet-stream"}
        with _ask(method, f"{self.storage_url}/{path}", {**known, **(headers or {})}, body) as answer:
            content: bytes = answer.read()
            return content

    def make_container(self, name: str, *, public: bool = False) -> str:
        """Create a public container that serves ``index.html`` for folders, and return its URL."""
        readable = {"X-Container-Read": ".r:*,.rlistings", "X-Container-Meta-Web-Index": "index.html"}
        self.call("PUT", quote(name), headers=readable if public else {})
        return f"{self.storage_url}/{quote(name)}"

    def put_object(
        self,
        container: str,
        name: str,
        content: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        query: str = "",
    ) -> None:
        """Write an object like other tools do."""
        path = f"{quote(container)}/{quote(name)}"
        self.call("PUT", f"{path}?{query}" if query else path, content, headers)

    def names(self, container: str) -> list[str]:
        """Return the names of all objects in a container."""
        listing = self.call("GET", f"{quote(container)}?format=json")
        return [str(entry["name"]) for entry in json.loads(listing)]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The servers for accounts, containers and objects; `proxy` starts a proxy for clients."""

    root: Path
    _ports: Mapping[str, int]

    def fill(self, container: str, names: Sequence[str]) -> None:
        """Add objects of one byte to a container's listing; they have no content to download."""
        _node("fill", str(self.root), container, given="\n".join(names))

    @contextmanager
    def proxy(self, *, limit: int = LIMIT, token_life: float = 86400) -> Iterator[Swift]:
        """Run another proxy for the cluster.

        Args:
            limit: the largest size of an object, in bytes.
            token_life: seconds until a token expires.
        """
        port = free_port()
        folder = self.root / f"proxy-{port}"
        folder.mkdir()
        for ring in self.root.glob("*.ring.gz"):
            (folder / ring.name).symlink_to(ring)
        filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in _PLAIN_FILTERS)
        config = _PROXY.format(port=port, common=_common(folder, self.root), token_life=token_life)
        (folder / "proxy-server.conf").write_text(config + filters)
        (folder / "swift.conf").write_text(_CLUSTER.format(limit=limit))
        url = f"http://{HOST}:{port}"
        with _serving("proxy", folder, f"{url}/healthcheck"):
            yield Swift(url, f"{url}/auth", folder / "proxy.log")


@contextmanager
def run_cluster(root: Path) -> Iterator[Cluster]:
    """Run the storage servers of a Swift cluster with their files in ``root``, an empty folder."""
    ports = {kind: free_port() for kind in ("account", "container", "object")}
    (root / "devices" / "d1").mkdir(parents=True)
    (root / "swift.conf").write_text(_CLUSTER.format(limit=LIMIT))
    _node("rings", str(root), *(f"{kind}={port}" for kind, port in ports.items()))
    with ExitStack() as servers:
        for kind, port in ports.items():
            config = _STORAGE.format(kind=kind, port=port, common=_common(root, root))
            (root / f"{kind}-server.conf").write_text(config)
            servers.enter_context(_serving(kind, root, f"http://{HOST}:{port}/"))
        yield Cluster(root, ports)


@contextmanager
def run_swift(root: Path) -> Iterator[Swift]:
    """Run a Swift cluster with one proxy, with its files in ``root``, an empty folder."""
    with run_cluster(root) as cluster, cluster.proxy() as swift:
        yield swift


def _node(*words: str, given: str = "") -> None:
    env = {**os.environ, **NODE_ENV}
    subprocess.run([*NODE, *words], input=given, env=env, check=True, text=True)


def _common(folder: Path, root: Path) -> str:
    return _COMMON.format(folder=folder, devices=root / "devices")


def _serving(kind: str, folder: Path, url: str) -> AbstractContextManager[Any]:
    return running(
        [*NODE, kind, str(folder)],
        log=folder / f"{kind}.log",
        ready=lambda: answers(url),
        env=NODE_ENV,
        grace=2.0,
    )


def _ask(method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Any:
    return urllib.request.urlopen(
        urllib.request.Request(url, data=body, headers=dict(headers), method=method), timeout=60
    )
