"""Connect to the scheduler of a cluster, or start a cluster of processes on this machine."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dask
from distributed import Client, LocalCluster
from distributed.security import Security

from wheelrelay.errors import ConfigError, EngineFailed
from wheelrelay_dask.engine import DaskEngine

THREADS = 2
"""Parts that a process of this machine runs at once: while one ends, the next one begins."""

SETTINGS: dict[str, object] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.comm.timeouts.connect": "120s",
    "distributed.deploy.lost-worker-timeout": "365d",
    "distributed.worker.preload": ["wheelrelay_dask.local_worker"],
}
"""No web pages about the processes of this machine, time to start them again if it is busy, and no Ctrl-C.

The cluster would give up a process that is missing this long after any earlier loss, also if it starts again.
"""

LOGGER, SILENT = "distributed", logging.CRITICAL + 1
"""The logger of the cluster, and the level at which it reports nothing."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files that a cluster accepts.

    Attributes:
        authority: The certificate authority of the cluster.
        certificate: The certificate of this machine.
        key: The private key of that certificate.
    """

    authority: Path
    certificate: Path
    key: Path

    def security(self) -> Security:
        """Return the settings of connections.

        Raises:
            ConfigError: A file cannot be read.
        """
        for path in (self.authority, self.certificate, self.key):
            try:
                path.read_bytes()
            except OSError as error:
                raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
        return Security(
            tls_ca_file=str(self.authority),
            tls_client_cert=str(self.certificate),
            tls_client_key=str(self.key),
            require_encryption=True,
        )


@contextmanager
def processes(count: int) -> Iterator[DaskEngine]:
    """Start processes on this machine, and end them with the context.

    Only this process can connect to them, because other users may run processes on this machine too.

    Args:
        count: The number of processes.

    Raises:
        EngineFailed: The processes cannot be started.
    """
    with _quiet(), dask.config.set(SETTINGS):
        try:
            cluster = LocalCluster(
                n_workers=count,
                threads_per_worker=THREADS,
                processes=True,
                security=Security.temporary(),
                protocol="tls://",
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                memory_limit=0,
                silence_logs=SILENT,
            )
        except (OSError, RuntimeError, TimeoutError) as error:
            raise EngineFailed(f"The processes of the engine cannot be started: {error}.") from error
        with cluster, Client(cluster, set_as_default=False) as client:
            engine = DaskEngine(client, "of this machine", spans_machines=False)
            with closing(engine):
                yield engine


@contextmanager
def scheduler(address: str, certificates: Certificates | None, *, within: float) -> Iterator[DaskEngine]:
    """Connect to the scheduler of a cluster.

    Args:
        address: The address of the scheduler.
        certificates: For connections with TLS.
        within: Seconds to try to connect.

    Raises:
        ConfigError: A certificate cannot be read.
        EngineFailed: The scheduler cannot be reached.
    """
    security = certificates.security() if certificates else None
    with _quiet():
        try:
            client = Client(address, security=security, timeout=within, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise EngineFailed(
                f"The scheduler at {address} cannot be reached (tried for {within:.0f} s): {_cause(error)}.",
                hint="Check that it runs, and that its certificate is of the configured authority.",
            ) from error
        with client, closing(DaskEngine(client, f"at {address}", spans_machines=True)) as engine:
            yield engine


def _cause(error: BaseException) -> str:
    """Return the first cause of an error, as a part of a sentence."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).rstrip(".") or type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the messages of distributed from the terminal: errors say what matters."""
    logger = logging.getLogger(LOGGER)
    before = logger.level
    logger.setLevel(SILENT)
    try:
        yield
    finally:
        logger.setLevel(before)
