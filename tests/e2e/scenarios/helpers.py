"""Helpers for tests of whole relays."""

import hashlib
from pathlib import Path

import wheelrelay
from wheelrelay import Remote, Route
from wheelrelay.backends.index import IndexConfig

TAGS = ("cp312-cp312-manylinux_2_17_x86_64", "cp313-cp313-win_amd64", "py3-none-any")


SDIST = "sample-1.0.tar.gz"


PURE = "sample-1.0-py3-none-any.whl"


AGAIN = {"Retry-After": "0"}
"""Tells the client not to wait, so that a test does not either."""


def index_remote(server, name="index", **keys):
    if server.username:
        keys |= {"username": server.username, "password": {"env": "INDEX_PASSWORD"}}
    return Remote(name, IndexConfig(url=server.simple_url, upload_url=server.upload_url, **keys))


def relay(source, *sinks, requirement="sample==1.0", **options):
    mode = options.pop("mode", "release")
    route = Route(source=str(source) if isinstance(source, Path) else source, sinks=list(sinks), mode=mode)
    return wheelrelay.relay(route, [requirement] if requirement else [], **options)


def outcomes(receipt, sink=None):
    """The outcome for each file at the only sink, or at the one that is named."""
    return {file.filename: file.sinks[sink or receipt.sinks[0]].outcome for file in receipt.files}


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def shown(remote, project="sample"):
    """What a place shows to the world: the sha256 by filename."""
    try:
        return {file.filename: file.sha256 for file in wheelrelay.list_files(remote, [project])}
    except wheelrelay.NothingMatched:
        return {}


def all_are(outcome, receipt, sink=None):
    return set(outcomes(receipt, sink).values()) == {outcome}
