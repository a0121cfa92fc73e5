"""Keeps the record of a relay while it runs, so that there is a true receipt however it ends."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime

from wheelrelay.model import DistFile
from wheelrelay.records import Action, Delivery, Finding, Outcome, Plan, Receipt, ReceiptFile
from wheelrelay.staged import StagedFile


class Ledger:
    """The record of one relay; written to by several threads.

    Args:
        plan: what is to be done; what is skipped or in conflict is entered right away.
        mode: the route's.
        versions: of the distributions that take part.
    """

    def __init__(self, plan: Plan, mode: str, versions: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._plan = plan
        self._mode = mode
        self._versions = versions
        self._started = datetime.now(UTC)
        self._findings: list[Finding] = list(plan.findings)
        self._files: dict[str, DistFile] = {planned.file.filename: planned.file for planned in plan.files}
        self._deliveries: dict[tuple[str, str], Delivery] = {}
        for planned in plan.files:
            for sink, intent in planned.sinks.items():
                if intent.action is Action.SKIP:
                    self.enter(sink, planned.file.filename, Delivery(Outcome.SKIPPED, reason=intent.reason))

    def staged(self, staged: StagedFile) -> None:
        """Note what staging found out of a file: its size and digest."""
        with self._lock:
            self._files[staged.filename] = staged.file

    def enter(self, sink: str, filename: str, delivery: Delivery) -> None:
        """Note what became of a file at a sink; a later entry takes the place of an earlier one."""
        with self._lock:
            self._deliveries[sink, filename] = delivery

    def found(self, finding: Finding) -> None:
        """Note a finding."""
        with self._lock:
            self._findings.append(finding)

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
            files=tuple(self._file(name) for name in self._files),
            findings=tuple(self._findings),
            versions=self._versions,
        )

    def _file(self, filename: str) -> ReceiptFile:
        file = self._files[filename]
        return ReceiptFile(
            filename=filename,
            project=file.project,
            version=str(file.version),
            size=file.size,
            sha256=file.sha256,
            origin=file.url,
            sinks={sink: self.delivery(sink, filename) for sink in self._plan.sinks},
        )
