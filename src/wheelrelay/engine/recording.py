"""Record the outcomes of a relay while it runs, so that its receipt is correct however it ends."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from types import MappingProxyType

from packaging.utils import NormalizedName

from wheelrelay.engine.summaries import count_at, reasons
from wheelrelay.model import DistFile, Mode, Shard
from wheelrelay.records import Action, Delivery, Finding, Outcome, Plan, Receipt, ReceiptFile
from wheelrelay.staged import StagedFile

SAVE_INTERVAL = 0.25
"""Seconds between two saved receipts while the relay runs, if saving takes no longer."""

SAVE_PAUSE_FACTOR = 50
"""How many times longer than saving the receipt took the pause after it is: a large receipt takes long."""

RUN_AGAIN = "Run the same command again to complete it."

CORRECT_FIRST = "Correct this first; then run the same command again to complete it."
"""The hint if something was refused that would be refused again."""

PENDING = Delivery(Outcome.PENDING)
"""Of files that were not sent yet."""

NOT_ENDED = "The relay has not read both sides: it still runs, or it was killed."
"""The error of a receipt without files."""

NO_VERSIONS: Mapping[str, str] = {}


class ReceiptRecorder:
    """The record of one relay; safe for threads. It is usable before the plan is known.

    Args:
        source: The name of the source.
        sinks: The names of the sinks, in order.
        mode: The mode of the relay.
        save: Saves a receipt; called repeatedly, so that a run that is killed leaves its record.
        versions: The versions of wheelrelay and of the plugins that take part.
        shards: The part of a mirror that the relay covers; empty for the whole.
        clock: Returns the time in seconds; it never goes back.

    Attributes:
        ended: Whether all work of the relay is done.
    """

    def __init__(
        self,
        source: str,
        sinks: Sequence[str],
        mode: Mode,
        *,
        save: Callable[[Receipt], None] | None = None,
        versions: Mapping[str, str] = NO_VERSIONS,
        shards: tuple[Shard, ...] = (),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.ended = False
        self._error: str | None = NOT_ENDED
        self._source = source
        self._sinks = tuple(sinks)
        self._mode = mode
        self._save = save
        self._versions = versions
        self._shards = shards
        self._started = datetime.now(UTC)
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._clock = clock
        self._next_save = clock() + SAVE_INTERVAL
        self._entries = self._saved_entries = 0
        self._findings: dict[Finding, None] = {}
        self._files: dict[str, DistFile] = {}
        self._unchanged: tuple[ReceiptFile, ...] = ()
        self._changes = 0
        self._last_receipt: Receipt | None = None
        self._replaced: dict[str, dict[str, str | None]] = {sink: {} for sink in sinks}
        self._deliveries: dict[str, dict[str, Delivery]] = {sink: {} for sink in sinks}
        self._unfinished_pages: dict[str, None] = {}

    def record_plan(self, plan: Plan) -> None:
        """Record the files of a plan, and the outcomes that it decides: skips and conflicts."""
        with self._lock:
            self._error = None
            self._unchanged = self._unchanged or plan.unchanged
            self._has_changed()
            for planned in plan.files:
                self._files.setdefault(planned.file.filename, planned.file)
        for planned in plan.files:
            for sink, intent in planned.sinks.items():
                if intent.replaces:
                    old = intent.existing.sha256 if intent.existing else None
                    self._replaced[sink][planned.file.filename] = old
                outcome = {Action.CONFLICT: Outcome.FAILED, Action.SKIP: Outcome.SKIPPED}.get(intent.action)
                if outcome:
                    lasting = outcome is Outcome.FAILED  # a conflict stays until one side changes
                    delivery = Delivery(outcome, reason=intent.reason, lasting=lasting)
                    self._enter(sink, planned.file.filename, delivery)

    def save(self, entry: int | None = None) -> None:
        """Save the receipt, unless a saved one already contains the entry of this number."""
        if self._save is None:
            return
        with self._saving:
            if entry is None or entry > self._saved_entries:
                self._save_now(self._save)

    def record_error(self, message: str) -> None:
        """Record why the relay ended before it published anything, and save that."""
        with self._lock:
            self._error = message
            self._has_changed()
        self.save()

    def record_staged(self, staged: StagedFile) -> None:
        """Record the size and the digest of a staged file."""
        with self._lock:
            self._files[staged.filename] = staged.file
            self._has_changed()

    def record(self, sink: str, filename: str, delivery: Delivery) -> None:
        """Record the outcome of a file at a sink; a later outcome replaces an earlier one."""
        self._enter(sink, filename, delivery)
        self._save_if_due()

    def record_part(self, receipt: Receipt) -> None:
        """Record the outcomes of a part of this relay, which another process has run."""
        with self._lock:
            self._findings.update(dict.fromkeys(receipt.findings))
            self._has_changed()
            for part in receipt.files:
                known = self._files[part.filename]
                if part.sha256 is not None and known.sha256 is None:
                    digests = replace(known.digests, sha256=part.sha256)
                    self._files[part.filename] = replace(known, size=part.size, digests=digests)
        for part in receipt.files:
            for sink, delivery in part.sinks.items():
                self._enter(sink, part.filename, delivery)
        self._save_if_due()

    def record_sending(self, sink: str, filename: str) -> None:
        """Record that the upload of a file begins, and save that: the run may be killed after it has arrived.

        Threads that begin at the same time share one saved receipt. A mirror may have too many files for
        that; its receipt is saved at intervals.
        """
        entry = self._enter(sink, filename, Delivery(Outcome.UNCONFIRMED, reason="It was being sent."))
        if self._mode is Mode.RELEASE:
            self.save(entry)
        else:
            self._save_if_due()

    def record_findings(self, findings: Sequence[Finding]) -> None:
        """Record findings, each once."""
        with self._lock:
            self._findings.update(dict.fromkeys(findings))
            self._has_changed()

    def expect_pages(self, sinks: Sequence[str]) -> None:
        """Record that the pages of some sinks are about to be updated."""
        with self._lock:
            self._unfinished_pages |= dict.fromkeys(sinks)

    def record_pages(self, sink: str) -> None:
        """Record that the update of the pages of a sink has ended, well or not."""
        with self._lock:
            self._unfinished_pages.pop(sink, None)

    def replaces(self, sink: str, filename: str) -> bool:
        """Return whether a file replaces other bytes."""
        return filename in self._replaced[sink]

    def replaced(self, sink: str) -> Mapping[str, str | None]:
        """Return the sha256 of the bytes that files replace at a sink, by filename; ``None`` if unknown."""
        return MappingProxyType(self._replaced[sink])  # no copy: a mirror calls this for every project

    def has_changed(self, sink: str) -> bool:
        """Return whether a sink was, or may have been, changed; a failed replacement may have changed it."""
        with self._lock:
            return any(True for _ in self._changed(sink))

    def changed_projects(self, sink: str) -> set[NormalizedName]:
        """Return the projects whose files at a sink were, or may have been, changed."""
        with self._lock:
            return {self._files[filename].project for filename in self._changed(sink)}

    def _changed(self, sink: str) -> Iterator[str]:
        for filename, delivery in self._deliveries[sink].items():
            is_changed = delivery.outcome in (Outcome.PUBLISHED, Outcome.UPDATED, Outcome.UNCONFIRMED)
            if is_changed or (delivery.attempts > 0 and filename in self._replaced[sink]):
                yield filename

    def delivery(self, sink: str, filename: str) -> Delivery:
        """Return the outcome of a file at a sink so far."""
        with self._lock:
            return self._deliveries[sink].get(filename, PENDING)

    def file(self, filename: str) -> DistFile:
        """Return a file of the plan, with its digest once it is staged."""
        with self._lock:
            return self._files[filename]

    def receipt(self) -> Receipt:
        """Return the record so far."""
        with self._lock:
            changes, files, findings = self._changes, list(self._files.values()), tuple(self._findings)
            deliveries = {sink: dict(of_sink) for sink, of_sink in self._deliveries.items()}
            last = self._last_receipt
        if last is not None:
            return replace(last, finished=datetime.now(UTC))
        receipt = Receipt(
            source=self._source,
            sinks=self._sinks,
            mode=self._mode.value,
            started=self._started,
            finished=datetime.now(UTC),
            files=self._with_unchanged(_receipt_file(file, deliveries) for file in files),
            findings=findings,
            versions=self._versions,
            shards=self._shards,
            error=self._error,
        )
        with self._lock:
            if self._changes == changes:
                self._last_receipt = receipt
        return receipt

    def _with_unchanged(self, files: Iterable[ReceiptFile]) -> tuple[ReceiptFile, ...]:
        """Return the files, and those that were not compared."""
        if not self._unchanged:
            return tuple(files)
        return tuple(sorted([*files, *self._unchanged], key=lambda file: file.filename))

    def summary(self) -> str:
        """Return a sentence for each sink that is not complete, and the first reasons."""
        receipt = self.receipt()
        sentences = [
            count_at(receipt, sink)
            for sink in receipt.sinks
            if any(not file.sinks[sink].is_in_place for file in receipt.files)
        ]
        files = [*sentences, *reasons(receipt)] or ["All files are in place."]
        pages = [f"The pages of {sink} were not updated." for sink in self._unfinished_pages]
        return " ".join([*files, *pages])

    def advice(self) -> str:
        """Return how to complete the relay."""
        with self._lock:
            must_correct = any(
                delivery.lasting and not delivery.is_in_place
                for deliveries in self._deliveries.values()
                for delivery in deliveries.values()
            ) or any(finding.hint == CORRECT_FIRST for finding in self._findings)
            pages = list(self._unfinished_pages)
        if must_correct:
            return CORRECT_FIRST
        if pages and self.receipt().is_complete:
            commands = " and ".join(f"`wheelrelay index {sink}`" for sink in pages)
            return f"Run the same command again, or {commands}, to update the pages."
        return RUN_AGAIN

    def _enter(self, sink: str, filename: str, delivery: Delivery) -> int:
        with self._lock:
            self._deliveries[sink][filename] = delivery
            self._entries += 1
            self._has_changed()
            return self._entries

    def _has_changed(self) -> None:
        """Forget the last receipt, which is large; the caller holds the lock."""
        self._changes += 1
        self._last_receipt = None

    def _save_if_due(self) -> None:
        """Save the receipt if the pause after the last save is over; other threads do not wait for it."""
        if self._save is None or not self._is_due() or not self._saving.acquire(blocking=False):
            return
        try:
            if self._is_due():
                self._save_now(self._save)
        finally:
            self._saving.release()

    def _save_now(self, save: Callable[[Receipt], None]) -> None:
        """Save the receipt; the caller holds the lock. The pause keeps the time for it below a share."""
        began, entries = self._clock(), self._entries
        try:
            save(self.receipt())
        finally:
            ended = self._clock()
            self._next_save = ended + max(SAVE_INTERVAL, SAVE_PAUSE_FACTOR * (ended - began))
        self._saved_entries = entries

    def _is_due(self) -> bool:
        return self._clock() >= self._next_save


def _receipt_file(file: DistFile, deliveries: Mapping[str, Mapping[str, Delivery]]) -> ReceiptFile:
    return ReceiptFile(
        filename=file.filename,
        project=file.project,
        version=str(file.version),
        size=file.size,
        sha256=file.sha256,
        source_url=_public(file.url) if file.url else None,
        sinks={sink: of_sink.get(file.filename, PENDING) for sink, of_sink in deliveries.items()},
    )


def _public(url: str) -> str:
    """Return the URL of a file without the signature that some URLs carry."""
    if not url.startswith(("http://", "https://")):
        return url
    from wheelrelay.http import display_url  # heavy, and not needed without HTTP

    return display_url(url)
