"""An engine as relays use it: connected when its workers are needed, with limits of what each gets."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from wheelrelay.api.coordination.batches import BatchLimits
from wheelrelay.api.coordination.sharing import refuse_unreachable
from wheelrelay.config import EngineConfig, EngineLike, Remote
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
