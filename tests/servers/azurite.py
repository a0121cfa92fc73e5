"""Azurite, Microsoft's emulator of Azure Blob Storage, installed with npm."""

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ResourceTypes,
    generate_account_sas,
)

from tests.servers.installed import install_once
from tests.servers.process import HOST, answers, free_port, running

VERSION = "3.35.0"

_NUMBERS = itertools.count(1)

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key of the only account, the same in every Azurite."""


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running Azurite.

    Attributes:
        url: of the account.
    """

    url: str

    @property
    def connection_string(self) -> str:
        """The connection string for Azure's tools."""
        keys = {"DefaultEndpointsProtocol": "http", "AccountName": ACCOUNT, "AccountKey": KEY}
        return ";".join(f"{name}={value}" for name, value in {**keys, "BlobEndpoint": self.url}.items())

    def new_container(self, *, public: bool = False) -> str:
        """Create an empty container, optionally with public listing and reading, and return its name."""
        name = f"wheels-{next(_NUMBERS)}"
        with BlobServiceClient.from_connection_string(self.connection_string) as client:
            client.create_container(name, public_access="container" if public else None)
        return name

    def sas_token(self, *permissions: str) -> str:
        """Return a shared access signature for all containers, such as for ``read`` and ``list``."""
        return generate_account_sas(
            ACCOUNT,
            KEY,
            ResourceTypes(container=True, object=True),
            AccountSasPermissions(**dict.fromkeys(permissions, True)),
            expiry=datetime.now(UTC) + timedelta(hours=1),
        )


def has_npm() -> bool:
    """Return whether Azurite can be installed and run on this machine."""
    return shutil.which("npm") is not None and shutil.which("node") is not None


def install_azurite(cache: Path) -> Path:
    """Install Azurite below ``cache`` if it is missing, and return its program."""

    def install(folder: Path) -> None:
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder)]
        subprocess.run([*command, f"azurite@{VERSION}"], check=True, capture_output=True, timeout=300)

    return install_once(cache / VERSION, install) / "node_modules" / ".bin" / "azurite-blob"


@contextmanager
def run_azurite(root: Path, cache: Path) -> Iterator[Azurite]:
    """Run Azurite with its files in ``root``, an empty folder."""
    port = free_port()
    url = f"http://{HOST}:{port}/{ACCOUNT}"
    options = ["--location", str(root), "--blobHost", HOST, "--blobPort", str(port), "--skipApiVersionCheck"]
    with running(
        [str(install_azurite(cache)), "--silent", "--disableTelemetry", *options],
        log=root / "azurite.log",
        ready=lambda: answers(f"{url}?comp=list"),
        grace=1.0,
    ):
        yield Azurite(url)
