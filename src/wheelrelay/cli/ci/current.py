"""The reporter of this run: that of the CI system, or one that does nothing.

Every command imports this module, so it imports nothing heavy itself.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelrelay.ci import current_system

if TYPE_CHECKING:
    from wheelrelay.config import Remote
    from wheelrelay.events import Progress
    from wheelrelay.records import Finding, Plan, Receipt

SWITCH = "WHEELRELAY_CI"
"""An environment variable that disables annotations, groups, summaries and outputs."""

OFF_VALUES = ("0", "off", "no", "false")
"""The values of `SWITCH` that disable them."""


class Reporter:
    """Reports results to a CI system; this base class reports nothing."""

    config_path: Path | None = None
    """The configuration file in use."""

    @contextmanager
    def wrap(self, progress: "Progress", *, grouped: bool = True) -> Iterator["Progress"]:
        """Yield a progress function that calls another one and reports to the CI system.

        Args:
            progress: the function to call.
            grouped: whether to group its log lines by step.
        """
        del grouped
        yield progress

    def before_line(self) -> None:
        """Begin the group of the current step, because a line of progress follows."""

    def plan(self, plan: "Plan") -> None:
        """Report a plan."""

    def findings(self, findings: Sequence["Finding"], title: str | None = None) -> None:
        """Report findings; with a title, in the job summary as well."""

    def receipt(self, receipt: "Receipt", path: str | None, sinks: Sequence["Remote"]) -> None:
        """Report a receipt, and set the outputs for later steps.

        Args:
            receipt: the receipt.
            path: the file that it was written to, if any.
            sinks: the remotes that files were published to.
        """

    def summary(self, markdown: str) -> None:
        """Add Markdown to the job summary."""

    def skipped(self, reason: str) -> None:
        """Report why nothing was done, and set the outputs for later steps."""

    def error(self, error: Exception, message: str) -> None:
        """Report the error that the command ended with, and the findings of a refusal."""


@contextmanager
def ci_reporter(environment: Mapping[str, str] = os.environ) -> Iterator[Reporter | None]:
    """Yield the reporter for a run, or ``None`` outside of CI systems that read commands from the log.

    Inside of one, other output is escaped meanwhile, so that the system does not read it as a command.
    """
    system = current_system(environment)
    if system is None:
        yield None
        return
    from wheelrelay.cli.ci.reporter import CIReporter
    from wheelrelay.cli.ci.syntax import escaped_streams, syntax_of

    syntax = syntax_of(system, environment)
    if syntax is None:
        yield None
        return
    with escaped_streams() as write:
        is_on = environment.get(SWITCH, "").lower() not in OFF_VALUES
        yield CIReporter(syntax, write, environment) if is_on else Reporter()


def reporter() -> Reporter:
    """Return the reporter of the running command."""
    return click.get_current_context().find_object(Reporter) or Reporter()
