"""What each protocol of fsspec can promise about the files of a folder, as data.

The table in ``docs/fsspec.md`` is made from it.
"""

from dataclasses import dataclass
from enum import StrEnum

from fsspec import AbstractFileSystem
from fsspec.implementations.dirfs import DirFileSystem


class Exclusive(StrEnum):
    """Who refuses to create a file whose name is taken, in the moment when the file gets its name."""

    SERVER = "the server"
    PROCESS = "this process alone"
    NONE = "nobody"


@dataclass(frozen=True, slots=True)
class Promises:
    """What a protocol can promise.

    Attributes:
        name: of what the protocols reach.
        protocols: as they begin addresses.
        exclusive: who refuses a taken name.
        commits: whether a file gets its name when its last byte is sent; elsewhere it is written under a
            temporary name and renamed.
        parts: whether a large file is sent in parts, and gets its name by another request than a small one.
        content_type: the option of ``open`` that sets the media type; none where no type is kept.
        digest: what listings give that changes with the bytes; if empty, they give a time at most.
        folder_pages: whether a page can be kept under the name of its folder, for servers that know no
            ``index.html``.
    """

    name: str
    protocols: tuple[str, ...]
    exclusive: Exclusive = Exclusive.NONE
    commits: bool = False
    parts: bool = False
    content_type: str = ""
    digest: str = ""
    folder_pages: bool = False


ANY_OTHER = Promises("any other that can be written", ())

PROMISES = (
    Promises("this machine (type `directory`)", ("file", "local"), Exclusive.SERVER),
    Promises("memory", ("memory",), Exclusive.PROCESS),
    Promises(
        "Amazon S3 and servers like it", ("s3", "s3a"), Exclusive.SERVER, True, True, "ContentType", "ETag"
    ),
    Promises("Google Cloud Storage", ("gs", "gcs"), Exclusive.SERVER, True, False, "content_type", "MD5"),
    Promises(
        "Azure Blob Storage",
        ("az", "abfs", "abfss"),
        Exclusive.SERVER,
        True,
        False,
        "content_settings",
        "ETag",
    ),
    Promises("SFTP", ("sftp", "ssh"), Exclusive.SERVER),
    Promises("FTP", ("ftp",)),
    Promises("SMB", ("smb",)),
    Promises("WebHDFS", ("webhdfs", "webHDFS")),
    ANY_OTHER,
)
"""Every protocol whose promises are known, and at the end what holds for all others."""


def promises_of(fs: AbstractFileSystem) -> Promises:
    """What the protocol of a file system can promise.

    A folder within another (``dir://``) promises as much where the other does all by its way of opening
    files, and else nothing.
    """
    if isinstance(fs, DirFileSystem):
        within = promises_of(fs.fs)
        return within if within.commits else ANY_OTHER
    protocols = {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
    return next((known for known in PROMISES if protocols & set(known.protocols)), ANY_OTHER)


def table() -> str:
    """The promises as a table in Markdown."""
    rows = [
        "| place | protocols | a taken name is refused by | content type | listed digest | folder pages |",
        "|---|---|---|---|---|---|",
    ]
    for known in PROMISES:
        protocols = ", ".join(f"`{protocol}://`" for protocol in known.protocols) or "..."
        cells = (
            known.name,
            protocols,
            known.exclusive,
            "kept" if known.content_type else "-",
            known.digest or "-",
            "yes" if known.folder_pages else "-",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"
