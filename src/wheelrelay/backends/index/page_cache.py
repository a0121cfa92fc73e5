"""Keep pages of an index on this machine, so that later runs need not read unchanged ones again.

A page is used only if the index declares that it has not changed: by the serial of the project on its root
page, as PyPI and its mirrors do, or by answering a conditional request with 304 (RFC 9110, section 13). The
folder may be deleted at any time.
"""

import hashlib
import json
import zlib
from typing import Self

from wheelrelay.backends.web.pages import MAX_PAGE, WebPage
from wheelrelay.disk.kept_files import KeptFiles
from wheelrelay.lazy_dataclass import dataclass


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
        files: Where they are kept.
    """

    def __init__(self, files: KeptFiles) -> None:
        self._files = files

    @classmethod
    def open(cls) -> Self | None:
        """Return the cache of this user, after removing old pages; ``None`` if it cannot be written."""
        files = KeptFiles.open("pages")
        return None if files is None else cls(files)

    def get(self, url: str) -> KeptPage | None:
        """Return the page that was kept for a URL, if it is intact and this user's."""
        content = self._files.get(url)
        if content is None:
            return None
        header, _, packed = content.partition(b"\n")
        try:
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
        except (ValueError, KeyError, TypeError, RecursionError, zlib.error):
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
        self._files.put(url, json.dumps(values).encode() + b"\n" + packed)
