"""Keep pages of an index on this machine, so that later runs need not read unchanged ones again.

A page is used only if the index declares that it has not changed: by the serial of the project on its root
page, as PyPI and its mirrors do, or by answering a conditional request with 304 (RFC 9110, section 13). The
folder may be deleted at any time.
"""

import hashlib
import json
import logging
import os
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Self

from wheelrelay.backends.web.pages import MAX_PAGE, WebPage
from wheelrelay.disk.writing import replace_file
from wheelrelay.errors import WheelrelayError
from wheelrelay.http import display_url
from wheelrelay.lazy_dataclass import dataclass

CACHE_VARIABLE = "WHEELRELAY_CACHE_DIR"
"""The environment variable that sets the folder."""

MAX_AGE = 30 * 86_400
"""Seconds after which a page is read again and replaced, whatever the index declares."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page that was read before.

    Attributes:
        page: The page.
        serial: The serial of its project at that time, if the index had one.
    """

    page: WebPage
    serial: int | None


class PageCache:
    """Pages of projects by URL, one file each; safe for threads and for several processes.

    Args:
        folder: Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def open(cls) -> Self | None:
        """Return the cache of this user, after removing old pages; ``None`` if it cannot be written."""
        if not (folder := os.environ.get(CACHE_VARIABLE)):
            from platformdirs import user_cache_dir  # rarely needed

            folder = user_cache_dir("wheelrelay", appauthor=False)
        path = Path(folder) / "pages"
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _remove_old(path)
        except OSError as error:
            _log.info("Pages of indexes are not kept: %s: %s", path, error.strerror)
            return None
        return cls(path)

    def get(self, url: str) -> KeptPage | None:
        """Return the page that was kept for a URL, if it is intact and this user's.

        In a shared folder, another user's page could list files with other digests.
        """
        try:
            with self._path(url).open("rb") as stream:
                if hasattr(os, "geteuid") and os.fstat(stream.fileno()).st_uid != os.geteuid():
                    return None
                header, _, packed = stream.read().partition(b"\n")
            values = json.loads(header)
            if values["url"] != url or values["sha256"] != hashlib.sha256(packed).hexdigest():
                return None
            body = zlib.decompressobj().decompress(packed, MAX_PAGE)
            page = WebPage(values["page_url"], values["media_type"], body, etag=values["etag"])
            texts = (page.url, page.media_type, page.etag)
            if not (
                all(isinstance(text, str) for text in texts) and isinstance(values["serial"], int | None)
            ):
                return None
            return KeptPage(page, values["serial"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError, zlib.error):
            return None

    def put(self, url: str, page: WebPage, serial: int | None) -> None:
        """Keep a page; one that cannot be written is not kept."""
        packed = zlib.compress(page.body, 1)
        values = {
            "url": url,
            "page_url": page.url,
            "media_type": page.media_type,
            "etag": page.etag,
            "serial": serial,
            "sha256": hashlib.sha256(packed).hexdigest(),
        }
        try:
            # Not synced: a file that a crash has damaged does not match its digest.
            replace_file(self._path(url), json.dumps(values).encode() + b"\n" + packed, sync=False)
        except WheelrelayError as error:
            _log.info("The page %s is not kept: %s", display_url(url), error)

    def _path(self, url: str) -> Path:
        return self._folder / hashlib.sha256(url.encode()).hexdigest()[:40]


def _remove_old(folder: Path) -> None:
    oldest = time.time() - MAX_AGE
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # another process removed it
                if entry.stat().st_mtime < oldest:
                    Path(entry).unlink()
