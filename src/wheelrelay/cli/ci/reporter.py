"""The board of a CI system: what a command found and did is shown there, beside the log."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from wheelrelay.cli.ci.base import Board
from wheelrelay.cli.ci.groups import GroupedProgress
from wheelrelay.cli.ci.syntax import Annotation, Dialect
from wheelrelay.cli.render.markdown import findings_markdown, fitting, plan_markdown, receipt_markdown
from wheelrelay.config import Remote
from wheelrelay.disk.writing import append_to_file
from wheelrelay.errors import ConfigError, Incomplete, RelayFailed, ReleaseRefused
from wheelrelay.events import Event, Planned, Progress
from wheelrelay.records import Finding, Outcome, Plan, Receipt
from wheelrelay.redaction import redact

logger = logging.getLogger(__name__)

MOST = 9
"""Annotations of one level: GitHub shows ten of a step, and the last is for how the command ended."""

NAMED = 10
"""Files that an annotation names."""

SUMMARY_SIZE = 2**20
"""Bytes that GitHub takes as the summary of a step; a longer one is not shown at all."""

OUTPUTS = ("receipt", "published", "address")
"""What later steps are given: the path of the receipt, how many uploads were made, and the address of each
sink, one a line."""


class CIBoard(Board):
    """The board of a CI system.

    Args:
        dialect: how the system is spoken to.
        write: writes to a log that the system reads.
        environment: tells where the repository is.
    """

    def __init__(
        self, dialect: Dialect, write: Callable[[str], None], environment: Mapping[str, str] = os.environ
    ) -> None:
        self._dialect = dialect
        self._write = write
        self._root = environment.get("GITHUB_WORKSPACE")
        self._told: set[tuple[str, str, str | None]] = set()
        self._count = dict.fromkeys(("error", "warning", "notice"), 0)

    @contextmanager
    def around(self, progress: Progress, *, folded: bool = True) -> Iterator[Progress]:
        """The same in groups; the plan goes into the summary."""
        grouped = GroupedProgress(progress, self._dialect, self._say)

        def tell(event: Event) -> None:
            (grouped if folded else progress)(event)
            if isinstance(event, Planned):
                self.plan(event.plan)

        try:
            yield tell
        finally:
            grouped.close()

    def plan(self, plan: Plan) -> None:
        """Put it into the summary."""
        self._summarize(plan_markdown(plan))

    def findings(self, findings: Sequence[Finding], title: str | None = None) -> None:
        """An annotation for each rule, naming the files that break it; never the same finding twice."""
        rules: dict[tuple[str, str, str | None], list[Finding]] = {}
        for finding in findings:
            known = (finding.check, finding.message, finding.filename)
            if known not in self._told:
                self._told.add(known)
                rules.setdefault((finding.severity.value, finding.check, finding.hint), []).append(finding)
        for (level, check, hint), group in rules.items():
            self._annotate(level, check, "\n".join((*_sentences(group), *([hint] if hint else []))))
        if title:
            self._summarize(findings_markdown(title, findings))

    def receipt(self, receipt: Receipt, path: str | None, sinks: Sequence[Remote]) -> None:
        """Put it into the summary, its findings into annotations, and give the outputs to later steps."""
        self._summarize(receipt_markdown(receipt))
        self.findings(receipt.findings)
        self._output(path or "", receipt.count(Outcome.PUBLISHED), (sink.address for sink in sinks))

    def skipped(self, reason: str) -> None:
        """A notice, and outputs that say that there is nothing."""
        self._annotate("notice", "wheelrelay", reason)
        self._output("", 0, ())

    def error(self, error: Exception, told: str) -> None:
        """An annotation of its own: at the configuration, if that is wrong or has the expected set."""
        if isinstance(error, ReleaseRefused):
            self.findings(error.findings, None if error.receipt else "Refused")
        elif isinstance(error, RelayFailed):
            self.findings(error.receipt.findings)
        file = self._config_file() if isinstance(error, ConfigError | Incomplete) else None
        self._say(self._dialect.annotation(Annotation("error", "wheelrelay", told, file)))

    def _annotate(self, level: str, title: str, message: str) -> None:
        self._count[level] += 1
        if self._count[level] > MOST:
            return
        if self._count[level] == MOST:
            message += "\nThere may be more; the log tells all."
        self._say(self._dialect.annotation(Annotation(level, title, message)))

    def _output(self, path: str, published: int, addresses: Iterable[str]) -> None:
        values = (path, str(published), "\n".join(addresses))
        for name, value in zip(OUTPUTS, map(redact, values), strict=True):
            try:
                self._say(self._dialect.output(name, value))
            except OSError as error:
                logger.warning("Later steps cannot be told the %s: %s.", name, error.strerror)

    def _summarize(self, markdown: str) -> None:
        path = self._dialect.summary
        if path is None:
            return
        try:
            there = path.stat().st_size if path.exists() else 0
            text = fitting(redact(markdown), SUMMARY_SIZE - there)
            append_to_file(path, text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            logger.warning("The summary cannot be written: %s.", error.strerror)

    def _config_file(self) -> str | None:
        """The configuration from the repository's root, if it lies in the repository."""
        if self.config is None or not self._root:
            return None
        try:
            return self.config.resolve().relative_to(Path(self._root).resolve()).as_posix()
        except ValueError:
            return None

    def _say(self, line: str) -> None:
        if line:
            self._write(line)


def _sentences(group: Sequence[Finding]) -> Iterator[str]:
    for finding in group[:NAMED]:
        yield f"{finding.filename}: {finding.message}" if finding.filename else finding.message
    if len(group) > NAMED:
        yield f"and {len(group) - NAMED} more"
