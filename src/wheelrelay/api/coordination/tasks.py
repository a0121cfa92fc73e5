"""What workers run: tasks that contain data and references to secrets, and no secret."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from uuid import uuid4

from wheelrelay.api.connecting import connected_route, versions_of
from wheelrelay.api.coordination.interrupting import interruptible
from wheelrelay.api.coordination.messages import sending_events
from wheelrelay.api.coordination.sharing import portable_route
from wheelrelay.config import Route, as_remote
from wheelrelay.engine.context import RelayOptions, RelayRequest
from wheelrelay.engine.listing import Inventory
from wheelrelay.engine.planning import PlannedRelay
from wheelrelay.engine.recording import ReceiptRecorder
from wheelrelay.engine.run import mirror_part
from wheelrelay.events import Progress
from wheelrelay.http.limits import override_timeout, timeout_override
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import DistFile, Mode
from wheelrelay.protocols import Report, SupportsReadiness
from wheelrelay.records import Plan, PlannedFile, Receipt
from wheelrelay.select import Selection
from wheelrelay.signing import SIGNATURE_SUFFIX, Signer
from wheelrelay.transfer.retry import longest_pause_override, override_longest_pause


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all tasks of a relay share.

    Attributes:
        route: The route, with absolute paths and references to secrets.
        selection: Its lock has the digests of the files; without ``files``.
        commit: The commit that all files must be built from.
        sums: The sha256 of each file, by filename.
        allow_unexpected: As for `RelayOptions`.
        replace: As for `RelayOptions`.
        sign: Publish signatures to all sinks.
        confirm_timeout: Seconds to wait for confirmation, instead of each sink's own.
        signer: Makes signatures.
        timeout: The timeout for all remotes, if the command line has one.
        longest_pause: The longest pause between attempts, if the command line has one.
        is_read_only: Whether nothing is published, so that sinks need not accept files.
        run: The identity of the relay, to interrupt its tasks.
    """

    route: Route
    selection: Selection
    commit: str | None
    sums: Mapping[str, str] | None
    allow_unexpected: bool
    replace: bool
    sign: bool
    confirm_timeout: float | None
    signer: Signer
    timeout: float | None
    longest_pause: float | None
    is_read_only: bool = False
    run: str = field(default_factory=lambda: uuid4().hex)

    @classmethod
    def of(
        cls,
        route: Route,
        request: RelayRequest,
        *,
        sign: bool = False,
        confirm_timeout: float | None = None,
        is_read_only: bool = False,
    ) -> "Circumstances":
        """Return what tasks need of a relay that this process has begun."""
        options, policy = request.options, request.policy
        return cls(
            portable_route(route),
            replace(request.selection, files=None, shard=None, only=None),
            policy.commit,
            policy.sums,
            options.allow_unexpected,
            options.replace,
            sign,
            confirm_timeout,
            options.signer,
            timeout_override(),
            longest_pause_override(),
            is_read_only,
        )

    @contextmanager
    def connected(
        self, files: tuple[DistFile, ...], jobs: int | None, progress: Progress
    ) -> Iterator[RelayRequest]:
        """Connect both sides on this worker, for exactly these files."""
        override_timeout(self.timeout)
        override_longest_pause(self.longest_pause)
        options = RelayOptions(
            jobs,
            progress,
            allow_unexpected=self.allow_unexpected,
            replace=self.replace,
            order=self.route.order,
            signer=self.signer,
            finalize=False,
        )
        selection = replace(self.selection, files=files)
        with (
            interruptible(self.run) as interrupts,
            connected_route(
                self.route,
                selection,
                replace(options, interrupts=interrupts),
                sign=self.sign,
                confirm_timeout=self.confirm_timeout,
                is_read_only=self.is_read_only,
            ) as request,
        ):
            policy = request.policy
            own = replace(policy, commit=self.commit, sums=self.sums)
            yield replace(request, policy=own)


@dataclass(frozen=True, slots=True)
class Admission:
    """Prove that a worker can run tasks of a relay, before it gets any: nothing is read or written.

    Attributes:
        circumstances: What all tasks share.
    """

    circumstances: Circumstances

    def __call__(self, _: Report) -> Mapping[str, str]:
        """Return the versions of wheelrelay and of the plugins that take part.

        Raises:
            MissingSecret: The worker lacks a secret or a signing key.
            ConfigError: The worker cannot use a remote.
        """
        shared = self.circumstances
        with shared.connected((), None, lambda _: None) as request:
            if not shared.is_read_only:
                for sink in request.sinks:
                    if isinstance(sink.sink, SupportsReadiness):
                        sink.sink.make_ready()
                if any(SIGNATURE_SUFFIX in sink.required_companions for sink in request.sinks):
                    shared.signer.make_ready()
        return versions_of(as_remote(shared.route.source), *map(as_remote, shared.route.sinks))


@dataclass(frozen=True, slots=True)
class MirrorBatch:
    """Move some files of a mirror.

    Attributes:
        circumstances: What all tasks share.
        files: The files, with what is planned for each.
        inventories: The files that each sink has of their projects; ``None`` for a sink that is write-only.
        jobs: The number of parallel transfers; adaptive by default.
        reads_sinks: Whether to read the sinks and plan again, because an earlier worker was lost with these
            files.
    """

    circumstances: Circumstances
    files: tuple[PlannedFile, ...]
    inventories: Mapping[str, tuple[DistFile, ...] | None]
    jobs: int | None
    reads_sinks: bool = False

    def __call__(self, report: Report) -> Receipt:
        """Move the files; one that fails does not end the task.

        Raises:
            WheelrelayError: No file was moved.
        """
        files = tuple(planned.file for planned in self.files)
        with (
            sending_events(report) as progress,
            self.circumstances.connected(files, self.jobs, progress) as request,
        ):
            sinks = tuple(sink.name for sink in request.sinks)
            recorder = ReceiptRecorder(request.source.name, sinks, Mode.MIRROR)
            planned = None
            if not self.reads_sinks:
                plan = Plan(request.source.name, sinks, self.files)
                inventories = {
                    name: None if held is None else Inventory(held) for name, held in self.inventories.items()
                }
                planned = PlannedRelay(plan, inventories)
            mirror_part(request, recorder, planned)
        return recorder.receipt()
