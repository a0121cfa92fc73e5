"""What the steps of one relay share: both sides, the threads, the patience, and those who watch."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName

from wheelrelay.checks import CheckPolicy
from wheelrelay.engine.comparing import Inventory
from wheelrelay.engine.confirming import fetched_sha256
from wheelrelay.engine.findings import CheckedFile, ReleasePolicy, SinkView, find_for_sink, once
from wheelrelay.errors import WheelrelayError
from wheelrelay.events import BytesMoved, Progress, Step, ignore_events, swallow_errors
from wheelrelay.expect import Expected
from wheelrelay.model import CONFIRM_TIMEOUT, Confirm, DistFile, Order
from wheelrelay.protocols import (
    Sink,
    Source,
    SupportsFinalize,
    SupportsReadiness,
    SupportsStatus,
    SupportsUploadForm,
)
from wheelrelay.records import Action, Finding, Plan, Receipt
from wheelrelay.select import Selection
from wheelrelay.signing import PUBLISH_ATTESTATION, SIGNATURE_SUFFIX, Attester, Signer, SigstoreAttester
from wheelrelay.transfer.concurrency import ConcurrencyController
from wheelrelay.transfer.retry import Retrier, RetryPolicy
from wheelrelay.transfer.thread_pool import Workers

if TYPE_CHECKING:
    from wheelrelay.engine.recording import ReceiptRecorder


@dataclass(frozen=True, slots=True)
class ConnectedSource:
    """A connected source and what it is called."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class ConnectedSink:
    """A connected sink, what it is called, how it proves what it holds, what it asks of a release.

    Every file gets a signature there if ``sign`` is set, and an attestation if ``attest`` is. The sink has
    ``confirm_timeout`` seconds to show what was published.
    """

    name: str
    sink: Sink
    confirm: Confirm = Confirm.INDEX
    checks: CheckPolicy = CheckPolicy()  # noqa: RUF009  (frozen)
    sign: bool = False
    attest: bool = False
    confirm_timeout: float = CONFIRM_TIMEOUT

    @property
    def making(self) -> tuple[str, ...]:
        """The suffixes of the companions that every file gets there."""
        wanted = {SIGNATURE_SUFFIX: self.sign, PUBLISH_ATTESTATION: self.attest}
        return tuple(suffix for suffix, asked in wanted.items() if asked)


@dataclass(frozen=True)
class RelayOptions:
    """How to travel.

    Attributes:
        jobs: how many files are moved at once; found out by what is observed if not given.
        progress: told of what happens.
        approve: asked once with the final plan, after the gate and before the first byte is published.
        retry_policy: how long to insist where a remote fails.
        allow_unexpected: publish also files that the expected set does not name.
        replace: put other bytes in the place of those that a container has under a name.
        wait: seconds to wait until everything that is expected is there.
        order: whether sdists wait for the wheels.
        sign: whether every sink gets signatures, also one that does not ask for them.
        signer: makes the signatures for the sinks that ask for them.
        attester: makes the attestations likewise.
        keep_receipt: given the receipt as it stands, again and again while the relay runs.
        versions: of wheelrelay and of the distributions that take part, for the receipt.
        started: when the relay began, in UTC, for the receipt.
        findings: what is known to be wrong before anything is read.
    """

    jobs: int | None = None
    progress: Progress = ignore_events
    approve: Callable[[Plan], bool] = lambda _: True
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    allow_unexpected: bool = False
    replace: bool = False
    wait: float = 0.0
    order: Order = Order.SDIST_LAST
    sign: bool = False
    signer: Signer = field(default_factory=Signer)
    attester: Attester = field(default_factory=SigstoreAttester)
    keep_receipt: Callable[[Receipt], None] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    findings: Sequence[Finding] = ()


class RelayContext:
    """One relay under way; close it when done.

    Args:
        origin: where the files come from.
        destinations: where they go, in order.
        selection: which are meant.
        expected: what the release has to consist of.
        demands: what else is asked of it.
        settings: how to travel.

    Attributes:
        tell: passes an event on to those who watch.
        recorder: the record of the relay, once it has begun.
    """

    def __init__(
        self,
        origin: ConnectedSource,
        destinations: Sequence[ConnectedSink],
        selection: Selection,
        expected: Expected,
        demands: ReleasePolicy,
        settings: RelayOptions,
    ) -> None:
        self.origin = origin
        self.destinations = tuple(destinations)
        self.selection = selection
        self.expected = expected
        self.demands = demands
        self._statuses: dict[tuple[str, NormalizedName], str | None] = {}
        self.inventories: dict[str, Inventory | None] = {}
        self.settings = settings
        self.recorder: ReceiptRecorder | None = None
        self.stopped = threading.Event()
        self.workers = Workers(ConcurrencyController(settings.jobs), self.stopped)
        self.tell = swallow_errors(settings.progress)
        self.retrier = Retrier(
            settings.retry_policy, self.tell, self.stopped, on_failure=self.workers.pace.on_failure
        )

    @property
    def sinks(self) -> dict[str, Sink]:
        """The sinks by name, in order."""
        return {each.name: each.sink for each in self.destinations}

    @property
    def making(self) -> dict[str, tuple[str, ...]]:
        """The suffixes of the companions that every file gets, by the names of the sinks that ask for any."""
        return {each.name: each.making for each in self.destinations if each.making}

    def policies(self) -> list[CheckPolicy]:
        """Return the check policy of each sink."""
        return [each.checks for each in self.destinations]

    def close(self) -> None:
        """End the threads."""
        self.workers.close()

    def counter(self, step: Step, filename: str) -> Callable[[int], None]:
        """A function that tells how many bytes of a file have moved."""
        return lambda count: self.tell(BytesMoved(step, filename, count))

    def fetched_sha256(self, sink: Sink, file: DistFile) -> str:
        """The sha256 of the bytes that a sink gives out, trying again while that makes sense."""
        return self.retrier.call(file.filename, lambda: fetched_sha256(sink, file))

    def find(self, files: Sequence[CheckedFile]) -> list[Finding]:
        """Everything that the sinks find wrong with some staged files.

        Raises:
            BackendError: a sink cannot tell what its rules need.
        """
        found: list[Finding] = []
        for each in self.destinations:
            with error_context(f"sink {each.name!r}"):
                found += self.retrier.call(
                    f"the state of the projects at {each.name}",
                    partial(find_for_sink, files, self._view_of(each), self.demands),
                )
        return once(found)

    def _view_of(self, destination: ConnectedSink) -> SinkView:
        def status(project: NormalizedName) -> str | None:
            key = destination.name, project
            if key not in self._statuses and isinstance(destination.sink, SupportsStatus):
                self._statuses[key] = destination.sink.project_status(project)
            return self._statuses.get(key)

        sink = destination.sink
        form = sink.validate_form if isinstance(sink, SupportsUploadForm) else None
        return SinkView(destination.checks, self.inventories[destination.name] or {}, status, form)

    def make_ready(self, plan: Plan) -> None:
        """Let the sinks resolve their credentials: none must be found wanting after the first is done.

        An index that has everything already needs none; what is to be finalized does in any case.

        Raises:
            MissingSecret: a secret is not there.
            BackendError: a sink, or whoever gives the credentials, refused or kept failing.
        """
        for each in self.destinations:
            to_do = plan.count(each.name, Action.UPLOAD) or plan.count(each.name, Action.UNKNOWN)
            needed = to_do or isinstance(each.sink, SupportsFinalize)
            if needed and isinstance(each.sink, SupportsReadiness):
                with error_context(f"sink {each.name!r}"):
                    self.retrier.call(f"the credentials for {each.name}", each.sink.make_ready)


@contextmanager
def error_context(where: str) -> Iterator[None]:
    """Let errors say on which side they happened."""
    try:
        yield
    except WheelrelayError as error:
        error.at(where)
        raise
