"""Who has the bytes of a release between staging and publishing: this process, or others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from wheelrelay.engine.context import ConnectedSink, RelayRequest, Runtime
from wheelrelay.engine.gate import CheckedFile
from wheelrelay.engine.publishing import Publisher
from wheelrelay.engine.signing import CompanionMaker, NewCompanions
from wheelrelay.engine.staging import InspectionRules, Stager
from wheelrelay.protocols import SupportsFinalize
from wheelrelay.records import Plan
from wheelrelay.staged import StagedFile
from wheelrelay.transfer.staging_area import StagingArea, temporary_staging_area


class ReleaseFiles(Protocol):
    """Stages the files of one release, and publishes them once the gate is open."""

    uses_credentials_here: bool
    """Whether this process publishes the files."""

    def prepare(self, plan: Plan) -> None:
        """Verify that signing and attesting will work, before anything is downloaded."""
        ...

    def stage_all(self, plan: Plan) -> Mapping[str, CheckedFile]:
        """Stage and check every file that any sink needs; see `Stager.stage_all`."""
        ...

    def make_companions(self, plan: Plan, checked: Mapping[str, CheckedFile]) -> NewCompanions:
        """Make the missing companions; see `CompanionMaker.make_all`."""
        ...

    def send_all(
        self, plan: Plan, publisher: Publisher, sink: ConnectedSink, files: Sequence[StagedFile], /
    ) -> None:
        """Send some files to a sink in parallel, and record the outcomes; after a failure, no others.

        Args:
            plan: With all actions decided.
            publisher: Publishes and records.
            sink: The sink.
            files: The files, with the companions that the sink gets.
        """
        ...


def sinks_with_pages(sinks: Sequence[ConnectedSink]) -> list[ConnectedSink]:
    """Return the sinks that this process writes to even if other processes send the files."""
    return [sink for sink in sinks if isinstance(sink.sink, SupportsFinalize)]


HandleFiles = Callable[[RelayRequest, Runtime], AbstractContextManager[ReleaseFiles]]


@contextmanager
def local_files(request: RelayRequest, runtime: Runtime) -> Iterator[ReleaseFiles]:
    """Keep the files of a release in a temporary folder of this machine."""
    with temporary_staging_area() as staging_area:
        yield _LocalFiles(request, staging_area, runtime)


class _LocalFiles:
    """The files of a release that this process stages and publishes."""

    uses_credentials_here = True

    def __init__(self, request: RelayRequest, staging_area: StagingArea, runtime: Runtime) -> None:
        options = request.options
        self._request = request
        self._staging_area = staging_area
        self._runtime = runtime
        self._companions = CompanionMaker(request.sinks, options.signer, options.attester, runtime)

    def prepare(self, plan: Plan) -> None:
        self._companions.prepare(plan)

    def stage_all(self, plan: Plan) -> Mapping[str, CheckedFile]:
        request = self._request
        rules = InspectionRules.of(request)
        return Stager(request.source, self._staging_area, rules, self._runtime).stage_all(plan)

    def make_companions(self, plan: Plan, checked: Mapping[str, CheckedFile]) -> NewCompanions:
        return self._companions.make_all(plan, checked)

    def send_all(
        self, _: Plan, publisher: Publisher, sink: ConnectedSink, files: Sequence[StagedFile], /
    ) -> None:
        is_last = sink is self._request.sinks[-1]
        publisher.send_all(sink, files, on_sent=self._staging_area.drop if is_last else lambda _: None)
