"""Objects above the cluster's limit: written as segments and a manifest, read as one.

These are Swift's static large objects: the manifest names every segment with its digest and size, which
Swift compares when it takes the manifest. Segments lie in the same container, so that whoever may read
the object may read them; each attempt has a folder of its own, so that two never meet.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

from wheelrelay.errors import Rejected
from wheelrelay_cloudfiles.bodies import Body
from wheelrelay_cloudfiles.transfers import Transfers

SEGMENT = 2**30
"""Bytes in a segment, if the cluster's limit allows: a thousand of them may make an object."""


class LargeObjects:
    """Writes, finds and removes what large objects are made of."""

    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers

    def write(self, path: str, body: Body, headers: Mapping[str, str], *, folder: str) -> str:
        """Write an object as segments, then its manifest; if that fails, no segment stays.

        Args:
            path: of the object.
            body: its bytes.
            headers: of the object.
            folder: the path to put segments below.

        Returns:
            The ETag of the whole.

        Raises:
            Rejected: the cluster knows no large objects.
        """
        limits = self._transfers.limits()
        if not limits.joins:
            raise Rejected(
                f"{path} would have {len(body)} bytes, the cluster takes {limits.size} in an object, "
                "and it does not join segments."
            )
        place = f"{folder}/{uuid4().hex}"
        manifest: list[dict[str, Any]] = []
        try:
            for number, part in enumerate(body.parts(min(SEGMENT, limits.size))):
                manifest.append({"path": f"{place}/{number:04}", "size_bytes": len(part)})
                manifest[-1]["etag"] = self._transfers.put(manifest[-1]["path"], part, {})
            return self._transfers.join(path, Body.of(json.dumps(manifest).encode()), headers)
        except BaseException:
            self.remove(segment["path"] for segment in manifest)
            raise

    def segments_of(self, path: str) -> list[str]:
        """The paths of the segments that an object is made of; none for a plain one.

        Raises:
            NotFound: it is not there.
        """
        if "X-Static-Large-Object" not in self._transfers.head(path):
            return []
        with ExitStack() as stack:
            answer = self._transfers.ask(stack, "GET", path, query="multipart-manifest=get")
            return [segment["name"] for segment in answer.json()]

    def remove(self, segments: Iterable[str]) -> None:
        """Remove segments, as far as they are there."""
        for segment in segments:
            self._transfers.delete(segment)
