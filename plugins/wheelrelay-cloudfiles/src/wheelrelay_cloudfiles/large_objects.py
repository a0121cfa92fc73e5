"""Objects above the cluster's size limit: written as segments and a manifest, read as one.

These are Swift's static large objects. The manifest lists every segment with digest and size, and Swift
compares both when it accepts the manifest. Segments are stored in the same container as the object, so that
the same people can read them. Each attempt has its own folder, so that two attempts never share a segment.

A segment is deleted only if no manifest can name it. Swift may accept a manifest although its answer is
lost, or accept it after a gateway has given up waiting. Unneeded segments cost space; an object without its
segments is lost. Segments that stay behind in doubt are deleted a day later, see `LargeObjects.sweep`.
"""

import json
import logging
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from packaging.utils import canonicalize_name

from wheelrelay import dist_file
from wheelrelay.errors import BackendError, InvalidFilename, NotFound, Rejected, WheelrelayError
from wheelrelay_cloudfiles.client import SwiftClient, newest_headers
from wheelrelay_cloudfiles.errors import parsing
from wheelrelay_cloudfiles.streams import Body

SEGMENT_SIZE = 2**30
"""Bytes in a segment, if the cluster's limit allows: up to a thousand of them make an object."""

MAX_DOUBT = timedelta(days=1)
"""Age after which no upload can still be using its segments: no request takes that long."""

_SEGMENT_NAME = re.compile(r"(?P<name>[^/]+)/(?P<attempt>[0-9a-f]{32})/[0-9]{4}")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """The segments of one attempt to write an object.

    Attributes:
        name: Name of the object, below the prefix.
        segments: Names of the segments, below the folder of all segments.
        modified: When the youngest of them was written.
    """

    name: str
    segments: tuple[str, ...]
    modified: datetime

    def is_of(self, projects: Collection[str] | None) -> bool:
        """Whether the object is a file of one of these projects; ``None`` means all."""
        if projects is None:
            return True
        try:
            return dist_file(self.name).project in map(canonicalize_name, projects)
        except InvalidFilename:
            return False


def group_segments(entries: Iterable[tuple[str, datetime]]) -> list[Attempt]:
    """Group segments by attempt; entries with names that `LargeObjects.write` does not use are left out.

    Args:
        entries: Names below the folder of all segments, and when they were written.
    """
    attempts: dict[str, Attempt] = {}
    for path, modified in entries:
        if match := _SEGMENT_NAME.fullmatch(path):
            attempt = attempts.get(match["attempt"], Attempt(match["name"], (), modified))
            attempts[match["attempt"]] = Attempt(
                attempt.name, (*attempt.segments, path), max(attempt.modified, modified)
            )
    return list(attempts.values())


class LargeObjects:
    """Writes, finds and deletes the segments of large objects."""

    def __init__(self, client: SwiftClient) -> None:
        self._client = client

    def write(self, path: str, body: Body, headers: Mapping[str, str], *, folder: str) -> str:
        """Write an object as segments, then its manifest, and return the ETag of the whole.

        On failure, segments that are certainly not needed are deleted.

        Args:
            path: Path of the object.
            body: Its bytes.
            headers: Headers of the object.
            folder: Path of the folder for the segments.

        Raises:
            Rejected: The cluster does not support large objects.
        """
        limits = self._client.limits()
        if not limits.has_large_objects:
            raise Rejected(
                f"{path} has {len(body)} bytes. The cluster accepts at most {limits.max_size} bytes in an "
                "object, and does not support large objects."
            )
        attempt = f"{folder}/{uuid4().hex}"
        manifest = self._write_segments(attempt, body.parts(min(SEGMENT_SIZE, limits.max_size)))
        try:
            return self._client.put_manifest(path, Body.of(json.dumps(manifest).encode()), headers)
        except WheelrelayError as error:
            if etag := self._etag_if_accepted(path, manifest, error):
                return etag
            raise

    def _write_segments(self, folder: str, parts: Iterable[Body]) -> list[dict[str, Any]]:
        """Write all parts into ``folder``, or none of them, and return their manifest."""
        manifest: list[dict[str, Any]] = []
        try:
            for number, part in enumerate(parts):
                manifest.append({"path": f"{folder}/{number:04}", "size_bytes": len(part)})
                manifest[-1]["etag"] = self._client.put(manifest[-1]["path"], part, {})
        except BaseException:
            with suppress(BackendError):  # the first error is the one to report
                self.remove(segment["path"] for segment in manifest)
            raise
        return manifest

    def _etag_if_accepted(
        self, path: str, manifest: Iterable[Mapping[str, Any]], error: WheelrelayError
    ) -> str | None:
        """Find out whether the cluster accepted a manifest although the request failed.

        Returns:
            The ETag of the whole, if the object consists of exactly these segments.
        """
        segments = [segment["path"] for segment in manifest]
        stored: list[str] | None = None
        with suppress(WheelrelayError):
            stored = self.segments_or_none(path)
        if stored == segments:
            return self._client.head(path).get("Etag", "")
        if stored is not None and not error.retryable:
            with suppress(BackendError):  # the refusal is the error to report
                self.remove(segments)
        else:
            _log.warning(
                "%s: it is unknown whether the cluster accepts the file, so its %d segments stay in %s. "
                "If no file uses them, a push or `wheelrelay index` after one day deletes them.",
                path,
                len(segments),
                segments[0].rpartition("/")[0],
            )
        return None

    def segments_or_none(self, path: str) -> list[str]:
        """Return the paths of the segments of an object; empty also if there is no object."""
        try:
            return self.segments_of(path)
        except NotFound:
            return []

    def segments_of(self, path: str) -> list[str]:
        """Return the paths of the segments of an object; empty for a plain object.

        All replicas are compared: an old manifest would name other segments than the current one.

        Raises:
            NotFound: There is no such object.
        """
        if "X-Static-Large-Object" not in self._client.head(path, newest=True):
            return []
        headers = newest_headers(newest=True)
        with ExitStack() as stack:
            answer = self._client.request(stack, "GET", path, query="multipart-manifest=get", headers=headers)
            with parsing(answer.url):
                return [str(segment["name"]) for segment in answer.json()]

    def sweep(
        self, path: str, folder: str, attempts: Iterable[Attempt], now: datetime, *, is_listed: bool
    ) -> None:
        """Delete the segments of old attempts that the object does not use.

        An attempt that has written a segment within the last day may still be running, and stays.

        Args:
            path: Path of the object.
            folder: Path of the folder of all segments.
            attempts: Attempts to write this object.
            now: The cluster's time.
            is_listed: Whether the container's listing shows the object. If it does and the object is not
                found, the cluster contradicts itself, and nothing is deleted.

        Raises:
            BackendError: The object cannot be inspected, or a segment cannot be deleted.
        """
        old = [attempt for attempt in attempts if now - attempt.modified > MAX_DOUBT]
        if not old:
            return
        try:
            used = set(self.segments_of(path))
        except NotFound:
            if is_listed:
                return
            used = set()
        for attempt in old:
            segments = [f"{folder}/{segment}" for segment in attempt.segments]
            if used.isdisjoint(segments):
                _log.info("Deleting %d unused segments of %s.", len(segments), path)
                self.remove(segments)

    def remove(self, segments: Iterable[str]) -> None:
        """Delete segments, as far as they exist."""
        for segment in segments:
            self._client.delete(segment)
