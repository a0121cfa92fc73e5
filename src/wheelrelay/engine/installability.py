"""Find out whether a release can be installed and used, before it is published."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from wheelrelay.engine.context import RelayRequest, Runtime
from wheelrelay.engine.gate import CheckedFile, deduplicated
from wheelrelay.engine.listing import Inventory
from wheelrelay.events import Step, StepBegan, StepEnded
from wheelrelay.records import Finding


def find_uninstallable(
    files: Sequence[CheckedFile],
    inventories: Mapping[str, Inventory | None],
    request: RelayRequest,
    runtime: Runtime,
) -> list[Finding]:
    """Return all findings of the checks with installers that a route configures; none by default.

    Args:
        files: The staged files.
        inventories: The files of each sink, by its name.
        request: The sinks and the requirements.
        runtime: Threads.

    Raises:
        BackendError: The credentials of a sink cannot be resolved.
    """
    policy = request.policy.install
    findings: list[Finding] = []
    for sink in request.sinks if policy.resolve or policy.smoke else ():
        # Imported when configured: most releases need neither.
        from wheelrelay.engine.resolving import find_unresolvable
        from wheelrelay.engine.smoke import find_broken

        inventory = inventories[sink.name]
        if policy.resolve:
            with _step(Step.RESOLVE, sink.name, files, runtime):
                findings += find_unresolvable(files, sink, inventory, policy.indexes, runtime)
        if policy.smoke:
            with _step(Step.TRY, sink.name, files, runtime):
                findings += find_broken(files, sink, inventory, policy.smoke, policy.indexes, runtime)
    return deduplicated(findings)


@contextmanager
def _step(step: Step, remote: str, files: Sequence[CheckedFile], runtime: Runtime) -> Iterator[None]:
    """Report the begin and the end of a step, if it has anything to do."""
    if files:
        runtime.report(StepBegan(step, remote, len(files), 0))
    yield
    if files:
        runtime.report(StepEnded(step, remote))
