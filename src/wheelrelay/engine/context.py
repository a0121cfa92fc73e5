"""What a relay works on (`RelayRequest`), and what its steps share while it runs (`Runtime`)."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from wheelrelay.checks import CheckPolicy
from wheelrelay.errors import WheelrelayError
from wheelrelay.events import BytesMoved, Progress, Step, ignore_events, swallow_errors
from wheelrelay.expect import Expected
from wheelrelay.model import CONFIRM_TIMEOUT, Confirm, Order
from wheelrelay.protocols import Sink, Source
from wheelrelay.records import Finding, Plan
from wheelrelay.select import Selection
from wheelrelay.signing import (
    PUBLISH_ATTESTATION,
    SIGNATURE_SUFFIX,
    Attester,
    Signer,
    SigstoreAttester,
    TrustPolicy,
)
from wheelrelay.transfer.concurrency import ConcurrencyController
from wheelrelay.transfer.parallel_ranges import DEFAULT_POLICY, RangePolicy
from wheelrelay.transfer.retry import Retrier, RetryPolicy
from wheelrelay.transfer.thread_pool import Workers


@dataclass(frozen=True, slots=True)
class ConnectedSource:
    """A connected source and its name."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class ConnectedSink:
    """A connected sink, its name, and what it requires of a release.

    Attributes:
        name: the name of the remote.
        sink: the connected backend.
        confirm: how uploads are confirmed.
        checks: which checks apply, and the size limits.
        sign: whether every file is published with a signature.
        attest: whether every file is published with an attestation.
        confirm_timeout: seconds to wait until the sink shows what was published.
    """

    name: str
    sink: Sink
    confirm: Confirm = Confirm.INDEX
    checks: CheckPolicy = CheckPolicy()  # noqa: RUF009  (frozen)
    sign: bool = False
    attest: bool = False
    confirm_timeout: float = CONFIRM_TIMEOUT

    @property
    def required_companions(self) -> tuple[str, ...]:
        """The suffixes of the companions that every file needs at this sink."""
        required = {SIGNATURE_SUFFIX: self.sign, PUBLISH_ATTESTATION: self.attest}
        return tuple(suffix for suffix, is_required in required.items() if is_required)


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    """What the route requires of a release, in addition to the checks of the sinks.

    Attributes:
        commit: the commit that all files must be built from.
        sums: the sha256 of each file, by filename.
        trust: who must have signed or attested each file.
    """

    commit: str | None = None
    sums: Mapping[str, str] | None = None
    trust: TrustPolicy | None = None


@dataclass(frozen=True)
class RelayOptions:
    """How a relay runs.

    Attributes:
        jobs: the number of parallel transfers; adaptive by default.
        progress: called with each event.
        approve: called once with the final plan before the first upload; ``False`` ends the relay.
        retry_policy: how often and how long to retry.
        ranges: when and how a download is divided into ranges.
        allow_unexpected: publish also files that match nothing in the expected set.
        replace: replace files that a container holds with other bytes.
        wait: seconds to wait for the expected files.
        order: whether sdists are published after the wheels.
        signer: makes signatures for the sinks that require them.
        attester: makes attestations for the sinks that require them.
        findings: findings from before the relay began.
    """

    jobs: int | None = None
    progress: Progress = ignore_events
    approve: Callable[[Plan], bool] = lambda _: True
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    ranges: RangePolicy = DEFAULT_POLICY
    allow_unexpected: bool = False
    replace: bool = False
    wait: float = 0.0
    order: Order = Order.SDIST_LAST
    signer: Signer = field(default_factory=Signer)
    attester: Attester = field(default_factory=SigstoreAttester)
    findings: Sequence[Finding] = ()


@dataclass(frozen=True)
class RelayRequest:
    """What a relay is to do; both sides are connected.

    Attributes:
        source: where the files come from.
        sinks: where they are published, in order.
        selection: which files of the source.
        expected: the files that the release must consist of.
        policy: what the route requires of the release.
        options: how the relay runs.
    """

    source: ConnectedSource
    sinks: tuple[ConnectedSink, ...] = ()
    selection: Selection = Selection()  # noqa: RUF009  (frozen)
    expected: Expected = Expected()  # noqa: RUF009  (frozen)
    policy: ReleasePolicy = ReleasePolicy()
    options: RelayOptions = field(default_factory=RelayOptions)


@dataclass(frozen=True, slots=True)
class Runtime:
    """The threads, the retries and the progress report of one relay, shared by its steps.

    Attributes:
        workers: runs work in parallel.
        retrier: repeats operations that failed with ``retryable`` errors.
        report: passes an event to the progress function of the caller; never raises.
        stopped: set when the relay is to end early.
        ranges: when and how a download is divided into ranges.
    """

    workers: Workers
    retrier: Retrier
    report: Progress
    stopped: threading.Event
    ranges: RangePolicy = DEFAULT_POLICY

    def byte_counter(self, step: Step, filename: str) -> Callable[[int], None]:
        """Return a function that reports a number of bytes of a file as moved."""
        return lambda count: self.report(BytesMoved(step, filename, count))


@contextmanager
def running(options: RelayOptions) -> Iterator[Runtime]:
    """Start what the steps of a relay share; its threads end with the context."""
    stopped, report = threading.Event(), swallow_errors(options.progress)
    workers = Workers(ConcurrencyController(options.jobs), stopped)
    retrier = Retrier(options.retry_policy, report, stopped, on_failure=workers.controller.on_failure)
    try:
        yield Runtime(workers, retrier, report, stopped, options.ranges)
    finally:
        workers.close()


@contextmanager
def error_context(where: str) -> Iterator[None]:
    """Add the side on which errors happened, for example ``source 'staging'``."""
    try:
        yield
    except WheelrelayError as error:
        error.at(where)
        raise
