"""An engine as relays use it: connected when its workers are needed, with limits of what each gets."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial

from wheelrelay.api.connecting import versions_of
from wheelrelay.api.coordination.batches import BatchLimits
from wheelrelay.api.coordination.dispatching import WorkerPool
from wheelrelay.api.coordination.interrupting import interrupt_tasks
from wheelrelay.api.coordination.sharing import refuse_unreachable
from wheelrelay.api.coordination.tasks import Admission, Circumstances
from wheelrelay.api.coordination.versions import refuse_other_versions
from wheelrelay.config import EngineConfig, EngineLike, Remote, Route, as_remote
from wheelrelay.engine.context import RelayRequest
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.protocols import Engine


@dataclass(frozen=True, slots=True)
class EngineAccess:
    """An engine as a relay uses it.

    Attributes:
        engine: The engine, or its configuration.
    """

    engine: EngineLike

    @property
    def config(self) -> EngineConfig:
        """The limits of batches and connections; the defaults for an engine that is connected already."""
        return self.engine if isinstance(self.engine, EngineConfig) else EngineConfig(type="connected")

    @property
    def limits(self) -> BatchLimits:
        """The most that one batch contains."""
        return BatchLimits(self.config.batch_files, self.config.batch_size)

    @contextmanager
    def opened(self, remotes: Sequence[Remote]) -> Iterator[Engine]:
        """Connect to the workers; an engine that is connected already stays so.

        Raises:
            ConfigError: Workers cannot reach one of the remotes.
            EngineFailed: The engine cannot be reached.
        """
        connection = self.engine.open() if isinstance(self.engine, EngineConfig) else nullcontext(self.engine)
        with connection as engine:
            refuse_unreachable(engine, *remotes)
            yield engine

    def admitted(
        self,
        stack: ExitStack,
        route: Route,
        request: RelayRequest,
        *,
        sign: bool = False,
        confirm_timeout: float | None = None,
        publishes: bool = True,
    ) -> tuple[WorkerPool, Circumstances]:
        """Connect to the workers, and return those that proved usable, and what all tasks share.

        Args:
            stack: Closes the engine.
            route: The route.
            request: The same, connected.
            sign: Publish signatures to all sinks.
            confirm_timeout: Seconds to wait for confirmation, instead of each sink's own.
            publishes: Whether the workers publish files, and need credentials for that.

        Raises:
            ConfigError: A worker cannot be used, or workers cannot reach a remote.
            EngineFailed: The engine failed, or has no workers.
        """
        remotes = [as_remote(route.source), *map(as_remote, route.sinks)]
        engine = stack.enter_context(self.opened(remotes))
        shared = Circumstances.of(
            route, request, sign=sign, confirm_timeout=confirm_timeout, is_read_only=not publishes
        )
        ours = versions_of(*remotes)
        pool = WorkerPool(
            engine,
            Admission(shared),
            lambda worker, theirs: refuse_other_versions(worker, theirs, ours),
            interrupt=partial(interrupt_tasks, shared.run),
        )
        pool.begin()
        return pool, shared
