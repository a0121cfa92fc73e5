"""Configuration of a Dask cluster as an engine."""

from contextlib import AbstractContextManager
from datetime import timedelta
from ipaddress import ip_address
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from wheelrelay.config import Duration, EngineConfig, LocalPath
from wheelrelay.protocols import Engine


class DaskConfig(EngineConfig):
    """The workers of a Dask cluster, or processes on this machine."""

    type: Literal["dask"] = "dask"
    address: str | None = Field(
        default=None,
        description="The address of the scheduler, such as 'tls://scheduler:8786'. Without TLS, only an "
        "address of this machine is accepted, because workers run all code that they receive.",
    )
    workers: int | None = Field(
        default=None,
        ge=1,
        description="Instead of an address: the number of processes to start on this machine.",
    )
    ca_cert: LocalPath | None = Field(
        default=None,
        description="The certificate authority of the cluster, a PEM file. Owners of its certificates "
        "can run code on the workers.",
    )
    client_cert: LocalPath | None = Field(
        default=None, description="The certificate of this machine for the cluster, a PEM file."
    )
    client_key: LocalPath | None = Field(
        default=None, description="The private key of that certificate, a PEM file."
    )
    connect_timeout: Duration = Field(
        default=timedelta(seconds=30), description="How long to try to reach the scheduler."
    )

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.address is None) == (self.workers is None):
            raise ValueError("set either address or workers")
        files = (self.ca_cert, self.client_cert, self.client_key)
        if self.address is None:
            if any(files):
                raise ValueError("certificates are for an address; processes of this machine need none")
            return self
        if self._scheme == "tls":
            if not all(files):
                raise ValueError("an address with tls:// needs ca_cert, client_cert and client_key")
        elif self._scheme != "tcp" or not _is_loopback(self.address):
            raise ValueError(
                "the address of another machine must begin with tls://, because workers run all code that "
                "they receive"
            )
        return self

    @property
    def _scheme(self) -> str:
        return self.address.partition("://")[0] if self.address and "://" in self.address else "tcp"

    def open(self) -> AbstractContextManager[Engine]:
        """Connect to the scheduler, or start the processes; leaving the context ends them."""
        from wheelrelay_dask.connection import Certificates, processes, scheduler  # they take a while

        if self.address is None:
            assert self.workers is not None
            return processes(self.workers)
        certificates = None
        if self.ca_cert and self.client_cert and self.client_key:
            certificates = Certificates(self.ca_cert, self.client_cert, self.client_key)
        return scheduler(self.address, certificates, within=self.connect_timeout.total_seconds())


def _is_loopback(address: str) -> bool:
    host = urlsplit(address if "://" in address else f"tcp://{address}").hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
