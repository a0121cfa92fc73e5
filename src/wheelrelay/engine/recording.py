"""Keeps the record of a relay while it runs, so that there is a true receipt however it ends."""

import threading
from datetime import UTC, datetime
from time import monotonic

from wheelrelay.engine.context import RelayOptions
from wheelrelay.model import DistFile
from wheelrelay.records import Action, Delivery, Finding, Outcome, Plan, Receipt, ReceiptFile
from wheelrelay.staged import StagedFile

KEEP_EVERY = 0.25
"""Seconds between two receipts that are kept while the relay runs."""

REASONS = 3
"""How many different reasons a tally tells; the receipt has all of them."""

AGAIN = "Run the same command again to complete it."

CORRECT_FIRST = "Correct this first; then run the same command again to complete it."
"""The hint where something was refused that would be refused again."""


class ReceiptRecorder:
    """The record of one relay; written to by several threads.

    Args:
        plan: what is to be done; what is decided in it is entered right away.
        mode: the route's.
        settings: with the function that keeps the receipt, called now and then while entries come in, so
            that a run that is killed leaves what it knew.

    Attributes:
        ended: whether all work of the relay is done.
    """

    def __init__(self, plan: Plan, mode: str, settings: RelayOptions) -> None:
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
        self._replaced: dict[tuple[str, str], str | None] = {}
        self.ended = False
        self._deliveries: dict[tuple[str, str], Delivery] = {}
        self.settled(plan)

    def settled(self, plan: Plan) -> None:
        """Note what a plan, or what has become of it, decides without publishing: skips and conflicts."""
        for planned in plan.files:
            for sink, intent in planned.sinks.items():
                if intent.replaces:
                    old = intent.existing.sha256 if intent.existing else None
                    self._replaced[sink, planned.file.filename] = old
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

    def replaced(self, sink: str) -> dict[str, str | None]:
        """The sha256 of the bytes that files take the place of at a sink, where it is known, by filename."""
        return {filename: sha256 for (name, filename), sha256 in self._replaced.items() if name == sink}

    def has_changed(self, sink: str) -> bool:
        """Whether anything was, or may have been, changed at a sink; a replacement that failed may have."""
        with self._lock:
            return any(
                delivery.outcome in (Outcome.PUBLISHED, Outcome.UNCONFIRMED)
                or (delivery.attempts > 0 and (name, filename) in self._replaced)
                for (name, filename), delivery in self._deliveries.items()
                if name == sink
            )

    def advice(self) -> str:
        """What to do about files that are not in place."""
        with self._lock:
            lasting = any(
                delivery.lasting and not delivery.is_in_place for delivery in self._deliveries.values()
            ) or any(finding.hint == CORRECT_FIRST for finding in self._findings)
        return CORRECT_FIRST if lasting else AGAIN

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
        sentences = [
            _count_at(receipt, sink)
            for sink in receipt.sinks
            if any(not file.sinks[sink].is_in_place for file in receipt.files)
        ]
        return " ".join([*sentences, *_reasons(receipt)]) or "All files are in place."

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
            source_url=_public(file.url) if file.url else None,
            sinks={sink: self.delivery(sink, filename) for sink in self._plan.sinks},
        )


def _count_at(receipt: Receipt, sink: str) -> str:
    there = receipt.count(Outcome.PUBLISHED, sink) + receipt.count(Outcome.SKIPPED, sink)
    unconfirmed = receipt.count(Outcome.UNCONFIRMED, sink)
    if not unconfirmed:
        return f"{sink} has {there} of {len(receipt.files)} files."
    return f"{sink}: {there} of {len(receipt.files)} files are in place, {unconfirmed} not confirmed."


def _reasons(receipt: Receipt) -> list[str]:
    """The first reasons why files are not in place, each with the number of further files that share it."""
    reasons: dict[str, list[str]] = {}
    for file in receipt.files:
        for delivery in file.sinks.values():
            if delivery.reason and not delivery.is_in_place and delivery.outcome is not Outcome.PENDING:
                reasons.setdefault(delivery.reason.replace(file.filename, ""), []).append(delivery.reason)
    return [
        first if not others else f"{first} (The same for {len(others)} more.)"
        for first, *others in list(reasons.values())[:REASONS]
    ]


def _public(url: str) -> str:
    """Where a file came from, without the signature that some addresses carry."""
    if not url.startswith(("http://", "https://")):
        return url
    from wheelrelay.http import display_url  # heavy, and not needed for places without HTTP

    return display_url(url)
