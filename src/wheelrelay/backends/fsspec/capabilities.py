"""The capabilities of each fsspec protocol, as data. The documentation has them as a table."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.implementations.dirfs import DirFileSystem

from wheelrelay.lazy_dataclass import dataclass


class Exclusive(StrEnum):
    """What rejects the creation of a file whose name exists, at the moment when the file gets its name."""

    SYSTEM = "the operating system"
    SERVER = "the server"
    PROCESS = "this process only"
    NONE = "-"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The capabilities of a protocol.

    Attributes:
        name: the name of the storage.
        protocols: the URL schemes.
        exclusive: what rejects existing names.
        commits_on_close: whether a file gets its name when its last byte is sent; otherwise it is written
            under a temporary name and renamed.
        multipart: whether a large file is sent in parts, and so gets its name by another request.
        content_type_option: the option of ``open`` that sets the media type; empty if it is not stored.
        listed_digest: the field of listings that changes with the content; if empty, there is a time at most.
        folder_pages: whether a page can be stored under the name of its folder, for servers that do not
            serve ``index.html``.
    """

    name: str
    protocols: tuple[str, ...]
    exclusive: Exclusive = Exclusive.NONE
    commits_on_close: bool = False
    multipart: bool = False
    content_type_option: str = ""
    listed_digest: str = ""
    folder_pages: bool = False


OTHER = Capabilities("any other writable storage", ())

KNOWN = (
    Capabilities("this machine (same as type `directory`)", ("file", "local"), Exclusive.SYSTEM),
    Capabilities("memory", ("memory",), Exclusive.PROCESS),
    Capabilities(
        "Amazon S3 and compatible servers",
        ("s3", "s3a"),
        Exclusive.SERVER,
        commits_on_close=True,
        multipart=True,
        content_type_option="ContentType",
        listed_digest="ETag",
    ),
    Capabilities(
        "Google Cloud Storage",
        ("gs", "gcs"),
        Exclusive.SERVER,
        commits_on_close=True,
        content_type_option="content_type",
        listed_digest="MD5",
    ),
    Capabilities(
        "Azure Blob Storage",
        ("az", "abfs", "abfss"),
        Exclusive.SERVER,
        commits_on_close=True,
        content_type_option="content_settings",
        listed_digest="ETag",
    ),
    Capabilities("SFTP", ("sftp", "ssh"), Exclusive.SERVER),
    Capabilities("FTP", ("ftp",)),
    Capabilities("SMB", ("smb",)),
    Capabilities("WebHDFS", ("webhdfs", "webHDFS")),
    OTHER,
)
"""All protocols with known capabilities; the last entry is for all others."""


def capabilities_of(fs: AbstractFileSystem) -> Capabilities:
    """Return the capabilities of a file system.

    A folder within another file system (``dir://``) has that one's capabilities if they are provided by its
    way of opening files, and none otherwise.
    """
    if isinstance(fs, DirFileSystem):
        inner = capabilities_of(fs.fs)
        return inner if inner.commits_on_close else OTHER
    protocols = {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
    return next((known for known in KNOWN if protocols & set(known.protocols)), OTHER)


def _http_timeout(seconds: float) -> dict[str, Any]:
    from aiohttp import ClientTimeout

    timeout = ClientTimeout(total=None, sock_connect=seconds, sock_read=seconds)
    return {"client_kwargs": {"timeout": timeout}}


def _s3_timeout(seconds: float) -> dict[str, Any]:
    # The engine retries; with botocore's retries as well, a dead server would take many minutes.
    retries = {"total_max_attempts": 1, "mode": "standard"}
    return {"config_kwargs": {"connect_timeout": seconds, "read_timeout": seconds, "retries": retries}}


def _azure_timeout(seconds: float) -> dict[str, Any]:
    whole = max(1, round(seconds))
    return {"connection_timeout": whole, "read_timeout": whole}


def _ssh_timeout(seconds: float) -> dict[str, Any]:
    # This covers the connection only; `wheelrelay.backends.fsspec.connection` limits the SFTP channel.
    return {"timeout": seconds, "banner_timeout": seconds, "auth_timeout": seconds}


_TIMEOUT_OPTIONS: Mapping[str, Callable[[float], dict[str, Any]]] = {
    "http": _http_timeout,
    "https": _http_timeout,
    "s3": _s3_timeout,
    "s3a": _s3_timeout,
    "gs": lambda seconds: {"requests_timeout": seconds},
    "gcs": lambda seconds: {"requests_timeout": seconds},
    "az": _azure_timeout,
    "abfs": _azure_timeout,
    "abfss": _azure_timeout,
    "sftp": _ssh_timeout,
    "ssh": _ssh_timeout,
    "ftp": lambda seconds: {"timeout": seconds},
    "webhdfs": lambda _: {},  # `wheelrelay.backends.fsspec.connection` limits its session
    "smb": lambda seconds: {"timeout": max(1, round(seconds))},
}
"""How a timeout is passed to the file system, by protocol."""


def with_timeout(protocol: str, options: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Return the options of a file system with a timeout, if its protocol supports one.

    Args:
        protocol: the URL scheme.
        options: the configured options, which take precedence.
        seconds: the timeout.
    """
    if protocol not in _TIMEOUT_OPTIONS:
        return dict(options)
    merged = _TIMEOUT_OPTIONS[protocol](seconds)
    for key, value in options.items():
        default = merged.get(key)
        merged[key] = {**default, **value} if isinstance(default, dict) and isinstance(value, dict) else value
    return merged


TABLE_COLUMNS = (
    "storage",
    "protocols",
    "existing names are rejected by",
    "content type",
    "listed digest",
    "folder pages",
    "`timeout`",
)


def capabilities_table() -> str:
    """Return the capabilities as a table in Markdown."""
    rows = [
        f"| {' | '.join(TABLE_COLUMNS)} |",
        "|---" * len(TABLE_COLUMNS) + "|",
    ]
    for known in KNOWN:
        protocols = ", ".join(f"`{protocol}://`" for protocol in known.protocols) or "..."
        cells = (
            known.name,
            protocols,
            known.exclusive,
            "stored" if known.content_type_option else "-",
            known.listed_digest or "-",
            "yes" if known.folder_pages else "-",
            "yes" if any(protocol in _TIMEOUT_OPTIONS for protocol in known.protocols) else "-",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"
