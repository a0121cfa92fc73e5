"""The input of a relay (`RelayRequest`), and the threads and retries that its steps share (`Runtime`)."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from datetime import timedelta

from wheelrelay.checks import CheckPolicy
from wheelrelay.engine.last_run import LastRunStore
from wheelrelay.errors import WheelrelayError
from wheelrelay.events import BytesMoved, Interrupting, Progress, Step, ignore_events, swallow_errors
from wheelrelay.expect import Expected
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import CONFIRM_TIMEOUT, Confirm, Order
from wheelrelay.protocols import InstallerIndex, Sink, Source
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
from wheelrelay.transfer.interrupts import Interrupts
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
    """A connected sink, its name, and its requirements of a release.

    Attributes:
        name: The name of the remote.
        sink: The connected backend.
        confirm: How uploads are confirmed.
        checks: Which checks apply, and the size limits.
        sign: Whether every file is published with a signature.
        attest: Whether every file is published with an attestation.
        confirm_timeout: Seconds to wait until the sink shows the published files.
    """

    name: str
    sink: Sink
    confirm: Confirm = Confirm.INDEX
    checks: CheckPolicy = CheckPolicy()
    sign: bool = False
    attest: bool = False
    confirm_timeout: float = CONFIRM_TIMEOUT

    @property
    def required_companions(self) -> tuple[str, ...]:
        """The suffixes of the companions that every file needs at this sink."""
        required = {SIGNATURE_SUFFIX: self.sign, PUBLISH_ATTESTATION: self.attest}
        return tuple(suffix for suffix, is_required in required.items() if is_required)


@dataclass(frozen=True, slots=True)
class AgePolicy:
    """The minimum age of files.

    Attributes:
        min_age: Time that must have passed since a file was uploaded to its index.
        take_unknown: Whether to take files whose upload time is unknown.
    """

    min_age: timedelta
    take_unknown: bool = False


@dataclass(frozen=True, slots=True)
class SmokePolicy:
    """How a release is tried before it is published.

    Attributes:
        pythons: Versions or paths of interpreters.
        command: The command to run, and its arguments.
        sdist: Whether to install the sdist, too.
        timeout: Seconds that the command may take.
    """

    pythons: tuple[str, ...]
    command: tuple[str, ...]
    sdist: bool = False
    timeout: float = 300.0


@dataclass(frozen=True, slots=True)
class InstallPolicy:
    """Whether a release must be installable.

    Attributes:
        resolve: Whether its dependencies must be resolvable.
        smoke: How it is tried, if at all.
        indexes: Indexes for dependencies, after that of the sink.
    """

    resolve: bool = False
    smoke: SmokePolicy | None = None
    indexes: tuple[InstallerIndex, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    """The requirements of the route, in addition to the checks of the sinks.

    Attributes:
        commit: The commit that all files must be built from.
        sums: The sha256 of each file, by filename.
        trust: Who must have signed or attested each file.
        age: The minimum age of the files, if any.
        install: Whether the release must be installable.
        provenance: Whether mirrors store the provenance that their source serves.
    """

    commit: str | None = None
    sums: Mapping[str, str] | None = None
    trust: TrustPolicy | None = None
    age: AgePolicy | None = None
    install: InstallPolicy = InstallPolicy()
    provenance: bool = True


@dataclass(frozen=True)
class RelayOptions:
    """How a relay runs.

    Attributes:
        jobs: The number of parallel transfers; adaptive by default.
        progress: Called with each event.
        approve: Called once with the plan, before any file is downloaded; ``False`` ends the relay. Not
            called if there is nothing to publish, or if the plan is refused anyway.
        retry_policy: How often and how long to retry.
        ranges: When and how a download is divided into ranges.
        allow_unexpected: Publish also files that match nothing in the expected set.
        replace: Replace files that a container holds with other bytes.
        wait: Seconds to wait for the expected files.
        order: Whether sdists are published after the wheels.
        signer: Makes signatures for the sinks that require them.
        attester: Makes attestations for the sinks that require them.
        findings: Findings from before the relay began.
        finalize: Whether the relay updates the pages of the sinks.
        interrupts: Interrupts the relay from another thread, where Ctrl-C does not reach it.
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
    finalize: bool = True
    interrupts: Interrupts | None = None


@dataclass(frozen=True)
class RelayRequest:
    """The input of a relay; both sides are connected.

    Attributes:
        source: Where the files come from.
        sinks: Where they are published, in order.
        selection: Which files of the source.
        expected: The files that the release must consist of.
        policy: The requirements of the route.
        options: How the relay runs.
        last_run: Where the last run of the same mirror is kept, if it is.
    """

    source: ConnectedSource
    sinks: tuple[ConnectedSink, ...] = ()
    selection: Selection = Selection()
    expected: Expected = Expected()
    policy: ReleasePolicy = ReleasePolicy()
    options: RelayOptions = field(default_factory=RelayOptions)
    last_run: LastRunStore | None = None


@dataclass(frozen=True, slots=True)
class Runtime:
    """The threads, the retries and the progress report of one relay, shared by its steps.

    Attributes:
        workers: Runs work in parallel.
        retrier: Repeats operations that failed with ``retryable`` errors.
        report: Passes an event to the progress function of the caller; never raises.
        stopped: Set when the relay is to end early.
        ranges: When and how a download is divided into ranges.
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
    """Start the threads of a relay; they end with the context."""
    stopped, report = threading.Event(), swallow_errors(options.progress)
    workers = Workers(
        ConcurrencyController(options.jobs),
        stopped,
        on_interrupt=lambda seconds: report(Interrupting(seconds)),
    )
    retrier = Retrier(options.retry_policy, report, stopped, on_failure=workers.controller.on_failure)
    if options.interrupts is not None:
        options.interrupts.reach(workers.interrupt)
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
