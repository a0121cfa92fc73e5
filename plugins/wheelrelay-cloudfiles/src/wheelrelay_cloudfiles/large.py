"""Objects above the cluster's limit: written as segments and a manifest, read as one.

These are Swift's static large objects: the manifest names every segment with its digest and size, which
Swift compares when it takes the manifest. Segments lie in the same container, so that whoever may read
the object may read them; each attempt has a folder of its own, so that two never meet.

A segment is removed only where no manifest can name it. Swift may take a manifest although its answer is
lost, or take it after a gateway has given up waiting: segments that are not needed cost space, and an
object without its segments is lost.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from typing import Any
from uuid import uuid4

from wheelrelay.errors import BackendError, NotFound, Rejected, WheelrelayError
from wheelrelay_cloudfiles.bodies import Body
from wheelrelay_cloudfiles.errors import parsing
from wheelrelay_cloudfiles.transfers import Transfers

SEGMENT = 2**30
"""Bytes in a segment, if the cluster's limit allows: a thousand of them may make an object."""

_log = logging.getLogger(__name__)


class LargeObjects:
    """Writes, finds and removes what large objects are made of."""

    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers

    def write(self, path: str, body: Body, headers: Mapping[str, str], *, folder: str) -> str:
        """Write an object as segments, then its manifest.

        If that fails, no segment stays that is not needed for certain.

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
        manifest = self._write_segments(place, body.parts(min(SEGMENT, limits.size)))
        try:
            return self._transfers.join(path, Body.of(json.dumps(manifest).encode()), headers)
        except WheelrelayError as error:
            if etag := self._etag_if_taken(path, manifest, error):
                return etag
            raise

    def _write_segments(self, place: str, parts: Iterable[Body]) -> list[dict[str, Any]]:
        """Write the parts below ``place``, or none of them; gives the manifest of all."""
        manifest: list[dict[str, Any]] = []
        try:
            for number, part in enumerate(parts):
                manifest.append({"path": f"{place}/{number:04}", "size_bytes": len(part)})
                manifest[-1]["etag"] = self._transfers.put(manifest[-1]["path"], part, {})
        except BaseException:
            with suppress(BackendError):  # what went wrong first is what matters
                self.remove(segment["path"] for segment in manifest)
            raise
        return manifest

    def _etag_if_taken(
        self, path: str, manifest: Iterable[Mapping[str, Any]], error: WheelrelayError
    ) -> str | None:
        """Settle what became of a manifest whose writing ended with an error.

        Returns:
            The ETag of the whole, if the object is made of these very segments.
        """
        ours = [segment["path"] for segment in manifest]
        there: list[str] | None = None
        with suppress(WheelrelayError):
            there = self._segments_there(path)
        if there == ours:
            return self._transfers.head(path).get("Etag", "")
        if there is not None and not error.retryable:
            with suppress(BackendError):  # it was refused, which is what matters
                self.remove(ours)
        else:
            _log.warning(
                "%s: it is not clear whether the cluster takes it, so its %d segments are kept in %s.",
                path,
                len(ours),
                ours[0].rpartition("/")[0],
            )
        return None

    def _segments_there(self, path: str) -> list[str]:
        """The segments of an object; none also if there is no object."""
        try:
            return self.segments_of(path)
        except NotFound:
            return []

    def segments_of(self, path: str) -> list[str]:
        """The paths of the segments that an object is made of; none for a plain one.

        Raises:
            NotFound: it is not there.
        """
        if "X-Static-Large-Object" not in self._transfers.head(path):
            return []
        with ExitStack() as stack:
            answer = self._transfers.ask(stack, "GET", path, query="multipart-manifest=get")
            with parsing(answer.url):
                return [str(segment["name"]) for segment in answer.json()]

    def remove(self, segments: Iterable[str]) -> None:
        """Remove segments, as far as they are there."""
        for segment in segments:
            self._transfers.delete(segment)
