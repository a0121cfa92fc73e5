"""Report results to a CI system: annotations, log groups, the job summary and outputs."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from wheelrelay.cli.ci.current import Reporter
from wheelrelay.cli.ci.syntax import Annotation, CISyntax
from wheelrelay.cli.option_names import with_option_names
from wheelrelay.cli.render.blocks import counted
from wheelrelay.cli.render.markdown import findings_markdown, plan_markdown, receipt_markdown, truncated
from wheelrelay.cli.render.progress import STEP_VERBS
from wheelrelay.config import Remote
from wheelrelay.disk.writing import append_to_file
from wheelrelay.errors import ConfigError, Incomplete, RelayFailed, ReleaseRefused
from wheelrelay.events import Event, Planned, Progress, StepBegan, StepEnded
from wheelrelay.records import Finding, Outcome, Plan, Receipt
from wheelrelay.redaction import redact

logger = logging.getLogger(__name__)

MAX_ANNOTATIONS = 9
"""Annotations of one level: GitHub shows ten of each step, and the last one is for the final error."""

MAX_FILES = 10
"""Files that one annotation names."""

MAX_SUMMARY_SIZE = 2**20
"""Bytes that GitHub accepts as the summary of a step; a longer one is dropped."""

OUTPUTS = ("receipt", "published", "address")
"""The outputs for later steps: the path of the receipt, the number of uploads, and the sinks' addresses."""


class CIReporter(Reporter):
    """Reports results to a CI system.

    Args:
        syntax: the commands of the CI system.
        write: writes a command to the log.
        environment: environment variables; they name the repository's directory.
    """

    def __init__(
        self, syntax: CISyntax, write: Callable[[str], None], environment: Mapping[str, str] = os.environ
    ) -> None:
        self._syntax = syntax
        self._write_command = write
        self._root = environment.get("GITHUB_WORKSPACE")
        self._groups: GroupedProgress | None = None
        self._reported: set[tuple[str, str, str | None]] = set()
        self._counts = dict.fromkeys(("error", "warning", "notice"), 0)

    @contextmanager
    def wrap(self, progress: Progress, *, grouped: bool = True) -> Iterator[Progress]:
        """Yield a progress function that groups log lines and adds the plan to the summary."""
        groups = self._groups = GroupedProgress(progress, self._syntax, self._write)

        def report(event: Event) -> None:
            (groups if grouped else progress)(event)
            if isinstance(event, Planned):
                self.plan(event.plan)

        try:
            yield report
        finally:
            groups.close()

    def before_line(self) -> None:
        """Begin the group of the step, which now gets its first line."""
        if self._groups is not None:
            self._groups.begin_pending()

    def plan(self, plan: Plan) -> None:
        """Add the plan to the summary."""
        self.summary(plan_markdown(plan))

    def findings(self, findings: Sequence[Finding], title: str | None = None) -> None:
        """Write one annotation for each rule with the files that break it, once for each finding."""
        rules: dict[tuple[str, str, str | None], list[Finding]] = {}
        for finding in findings:
            key = (finding.check, finding.message, finding.filename)
            if key not in self._reported:
                self._reported.add(key)
                rules.setdefault((finding.severity.value, finding.check, finding.hint), []).append(finding)
        for (level, check, hint), group in rules.items():
            message = "\n".join((*_sentences(group), *([hint] if hint else [])))
            self._annotate(level, check, with_option_names(message))
        if title:
            self.summary(findings_markdown(title, findings))

    def receipt(self, receipt: Receipt, path: str | None, sinks: Sequence[Remote]) -> None:
        """Add the receipt to the summary, annotate its findings, and set the outputs."""
        self.summary(receipt_markdown(receipt))
        self.findings(receipt.findings)
        self._set_outputs(path or "", receipt.count(Outcome.PUBLISHED), (sink.address for sink in sinks))

    def skipped(self, reason: str) -> None:
        """Write a notice, and set empty outputs."""
        self._annotate("notice", "wheelrelay", reason)
        self._set_outputs("", 0, ())

    def error(self, error: Exception, message: str) -> None:
        """Annotate the error, at the configuration file if its settings caused it."""
        if isinstance(error, ReleaseRefused):
            self.findings(error.findings, None if error.receipt else "Refused")
        elif isinstance(error, RelayFailed):
            self.findings(error.receipt.findings)
        file = self._config_file() if isinstance(error, ConfigError | Incomplete) else None
        self._write(self._syntax.annotation(Annotation("error", "wheelrelay", message, file)))

    def _annotate(self, level: str, title: str, message: str) -> None:
        self._counts[level] += 1
        if self._counts[level] > MAX_ANNOTATIONS:
            return
        if self._counts[level] == MAX_ANNOTATIONS:
            message += "\nThere may be more; see the log."
        self._write(self._syntax.annotation(Annotation(level, title, message)))

    def _set_outputs(self, path: str, published: int, addresses: Iterable[str]) -> None:
        values = (path, str(published), "\n".join(addresses))
        for name, value in zip(OUTPUTS, map(redact, values), strict=True):
            try:
                self._write(self._syntax.output(name, value))
            except OSError as error:
                logger.warning("Cannot set the output %s: %s.", name, error.strerror)

    def summary(self, markdown: str) -> None:
        """Add Markdown to the summary."""
        path = self._syntax.summary
        if path is None:
            return
        try:
            size = path.stat().st_size if path.exists() else 0
            text = truncated(redact(markdown), MAX_SUMMARY_SIZE - size)
            append_to_file(path, text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            logger.warning("Cannot write the job summary: %s.", error.strerror)

    def _config_file(self) -> str | None:
        """Return the configuration file relative to the repository, if it is part of it."""
        if self.config_path is None or not self._root:
            return None
        try:
            return self.config_path.resolve().relative_to(Path(self._root).resolve()).as_posix()
        except ValueError:
            return None

    def _write(self, command: str) -> None:
        if command:
            self._write_command(command)


class GroupedProgress:
    """A progress function that groups the log lines of another one: the plan, and each step.

    The group of a step begins with its first line, such as an error, so that there are no empty groups. The
    result of a step is logged after its group. Groups are not nested; if steps run at the same time, as in a
    mirror, the group of the last one that began is open.

    Args:
        progress: the function that logs events.
        syntax: the commands of the CI system.
        write: writes a command to the same log.
    """

    def __init__(self, progress: Progress, syntax: CISyntax, write: Callable[[str], None]) -> None:
        self._progress = progress
        self._syntax = syntax
        self._write = write
        self._lock = Lock()
        self._number = 0
        self._is_open = False
        self._pending: str | None = None

    def __call__(self, event: Event) -> None:
        """Log one event."""
        with self._lock:
            match event:
                case Planned():
                    plan = event.plan
                    self._begin(f"Plan: {counted(plan.total)} to {', '.join(plan.sinks)}")
                    self._progress(event)
                    self._end()
                case StepBegan():
                    verb = STEP_VERBS[event.step].capitalize()
                    self._progress(event)  # it may first log lines of the last step
                    self._end()
                    self._pending = f"{verb} {counted(event.files)}, {event.remote}"
                case StepEnded():
                    self._end()
                    self._progress(event)
                case _:
                    self._progress(event)

    def begin_pending(self) -> None:
        """Begin the group of the step, if it has not begun; called by the function that logs a line."""
        if self._pending is not None:
            title, self._pending = self._pending, None
            self._begin(title)

    def close(self) -> None:
        """Close the group that an error left open."""
        with self._lock:
            self._end()

    def _begin(self, title: str) -> None:
        self._end()
        self._number += 1
        self._is_open = True
        self._write(self._syntax.group(title, self._number))

    def _end(self) -> None:
        self._pending = None
        if self._is_open:
            self._is_open = False
            self._write(self._syntax.end_group(self._number))


def _sentences(group: Sequence[Finding]) -> Iterator[str]:
    for finding in group[:MAX_FILES]:
        yield f"{finding.filename}: {finding.message}" if finding.filename else finding.message
    if len(group) > MAX_FILES:
        yield f"and {len(group) - MAX_FILES} more"
