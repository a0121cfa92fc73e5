"""Keeps the record of a relay while it runs, so that there is a true receipt however it ends."""

import threading
from datetime import UTC, datetime
from time import monotonic

from wheelrelay.model import DistFile
from wheelrelay.records import Action, Delivery, Finding, Outcome, Plan, Receipt, ReceiptFile
from wheelrelay.staged import StagedFile
from wheelrelay.steps.journey import Settings

KEEP_EVERY = 0.25
"""Seconds between two receipts that are kept while the relay runs."""

REASONS = 3
"""How many different reasons a tally tells; the receipt has all of them."""


class Ledger:
    """The record of one relay; written to by several threads.

    Args:
        plan: what is to be done; what is decided in it is entered right away.
        mode: the route's.
        settings: with the function that keeps the receipt, called now and then while entries come in, so
            that a run that is killed leaves what it knew.
    """

    def __init__(self, plan: Plan, mode: str, settings: Settings) -> None:
        self._lock = threading.Lock()
        self._plan = plan
        self._mode = mode
        self._versions = settings.versions
        self._keep = settings.keep_receipt
        self._keeping = threading.Lock()
        self._kept = monotonic()
        self._entries = self._entries_kept = 0
        self._started = settings.started
        self._findings: list[Finding] = []
        self._files: dict[str, DistFile] = {planned.file.filename: planned.file for planned in plan.files}
        self._replaced: set[tuple[str, str]] = set()
        self._deliveries: dict[tuple[str, str], Delivery] = {}
        self.settled(plan)

    def settled(self, plan: Plan) -> None:
        """Note what a plan, or what has become of it, decides without publishing: skips and conflicts."""
        for planned in plan.files:
            for sink, intent in planned.sinks.items():
                if intent.replaces:
                    self._replaced.add((sink, planned.file.filename))
                outcome = {Action.CONFLICT: Outcome.FAILED, Action.SKIP: Outcome.SKIPPED}.get(intent.action)
                if outcome:
                    self._enter(sink, planned.file.filename, Delivery(outcome, reason=intent.reason))

    def keep(self, entry: int | None = None) -> None:
        """Keep the receipt as it stands now, unless one is kept already that has the entry of this number."""
        if self._keep is None:
            return
        with self._keeping:
            if entry is None or entry > self._entries_kept:
                self._kept, entries = monotonic(), self._entries
                self._keep(self.receipt())
                self._entries_kept = entries

    def staged(self, staged: StagedFile) -> None:
        """Note what staging found out of a file: its size and digest."""
        with self._lock:
            self._files[staged.filename] = staged.file

    def enter(self, sink: str, filename: str, delivery: Delivery) -> None:
        """Note what became of a file at a sink; a later entry takes the place of an earlier one."""
        entry = self._enter(sink, filename, delivery)
        if self._is_due():
            self.keep(entry)

    def sending(self, sink: str, filename: str) -> None:
        """Note that a file is about to be sent, and keep that: should this run be killed, it may be there.

        Threads that begin at the same time share one receipt. A mirror may have too many files for this; its
        receipt is kept now and then.
        """
        entry = self._enter(sink, filename, Delivery(Outcome.UNCONFIRMED, reason="It was being sent."))
        if self._mode == "release" or self._is_due():
            self.keep(entry)

    def found(self, finding: Finding) -> None:
        """Note a finding; the same one again says nothing new."""
        with self._lock:
            if finding not in self._findings:
                self._findings.append(finding)

    def replaces(self, sink: str, filename: str) -> bool:
        """Whether a file is to take the place of other bytes."""
        return (sink, filename) in self._replaced

    def delivery(self, sink: str, filename: str) -> Delivery:
        """What became of a file at a sink so far."""
        with self._lock:
            return self._deliveries.get((sink, filename), Delivery(Outcome.PENDING))

    def receipt(self) -> Receipt:
        """The record as it stands now."""
        return Receipt(
            source=self._plan.source,
            sinks=self._plan.sinks,
            mode=self._mode,
            started=self._started,
            finished=datetime.now(UTC),
            files=tuple(self._file(name) for name in list(self._files)),
            findings=tuple(self._findings),
            versions=self._versions,
        )

    def tally(self) -> str:
        """How many files are where, in a sentence for each sink that lacks any, and the first reasons."""
        receipt = self.receipt()
        sentences = []
        for sink in receipt.sinks:
            there = receipt.count(Outcome.PUBLISHED, sink) + receipt.count(Outcome.SKIPPED, sink)
            if there < len(receipt.files):
                sentences.append(f"{sink} has {there} of {len(receipt.files)} files.")
        reasons = {
            delivery.reason: None
            for file in receipt.files
            for delivery in file.sinks.values()
            if delivery.reason and not delivery.in_place and delivery.outcome is not Outcome.PENDING
        }
        return " ".join([*sentences, *list(reasons)[:REASONS]]) or "All files are in place."

    def _enter(self, sink: str, filename: str, delivery: Delivery) -> int:
        with self._lock:
            self._deliveries[sink, filename] = delivery
            self._entries += 1
            return self._entries

    def _is_due(self) -> bool:
        return monotonic() - self._kept >= KEEP_EVERY

    def _file(self, filename: str) -> ReceiptFile:
        file = self._files[filename]
        return ReceiptFile(
            filename=filename,
            project=file.project,
            version=str(file.version),
            size=file.size,
            sha256=file.sha256,
            origin=_public(file.url) if file.url else None,
            sinks={sink: self.delivery(sink, filename) for sink in self._plan.sinks},
        )


def _public(url: str) -> str:
    """Where a file came from, without the signature that some addresses carry."""
    if not url.startswith(("http://", "https://")):
        return url
    from wheelrelay.http import shown  # heavy, and not needed for places without HTTP

    return shown(url)
