"""SeaweedFS: a real S3 server, with its master, volume and filer servers in one process."""

import json
import socket
import subprocess
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import HOST, answers, free_port, running, script
from tests.servers.s3 import S3Server

_LISTENERS = ("master", "volume", "filer", "s3")

_IDENTITIES = {
    "identities": [
        {
            "name": "ci",
            "credentials": [
                {"accessKey": "AKCI", "secretKey": "s3cret-of-ci"},
                {"accessKey": "AKCI2", "secretKey": "s3cret-of-ci-2"},
            ],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        },
        {
            "name": "reader",
            "credentials": [{"accessKey": "AKREADER", "secretKey": "s3cret-of-reader"}],
            "actions": ["Read", "List"],
        },
    ]
}


@dataclass(frozen=True, slots=True)
class Seaweed(S3Server):
    """A running SeaweedFS.

    Attributes:
        filer_url: the URL of the filer, which has the folder ``/buckets/``.
        pid: the id of its process.
        reader: access key and secret key of a user who may only read.
        renewed: other keys of the user with all permissions.
    """

    filer_url: str = ""
    pid: int = 0
    reader: tuple[str, str] = ("AKREADER", "s3cret-of-reader")
    renewed: tuple[str, str] = ("AKCI2", "s3cret-of-ci-2")

    def lay(self, bucket: str, folder: Path) -> None:
        """Upload the files of a folder with SeaweedFS's own command, which is fast for thousands."""
        command = [
            script("weed"),
            "filer.copy",
            "-c",
            "4",
            f"{folder}/",
            f"{self.filer_url}/buckets/{bucket}/",
        ]
        subprocess.run(command, check=True, capture_output=True)


def free_ports() -> dict[str, int]:
    """Return a port for each server; each also uses the port 10,000 above it, for gRPC."""
    return {f"{name}.port": next(filter(_twin_is_free, iter(free_port, None))) for name in _LISTENERS}


def _takes_files(port: int) -> bool:
    """Return whether a volume server has registered with the master."""
    try:
        urllib.request.urlopen(f"http://{HOST}:{port}/dir/assign", timeout=5).close()
    except OSError:
        return False
    return True


def _twin_is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port + 10_000)).close()
    except (OSError, OverflowError):
        return False
    return True


@contextmanager
def _without_sockets_left(ports: Iterable[int]) -> Iterator[None]:
    """Remove the files that its servers leave in the system's folder for temporary files."""
    try:
        yield
    finally:
        for port in ports:
            for number in (port, port + 10_000):
                for left in Path("/tmp").glob(f"seaweedfs-*{number}.sock"):
                    left.unlink(missing_ok=True)


@contextmanager
def run_seaweed(
    root: Path, ports: dict[str, int] | None = None, *, volume_megabytes: int = 64
) -> Iterator[Seaweed]:
    """Run SeaweedFS with its files in ``root``.

    Args:
        root: an empty folder, or that of a stopped SeaweedFS.
        ports: from `free_ports`, to restart at the same addresses.
        volume_megabytes: size of the files that objects are stored in. While the server begins another one,
            some writes wait for a second.
    """
    ports = ports or free_ports()
    (root / "data").mkdir(exist_ok=True)
    (root / "s3.json").write_text(json.dumps(_IDENTITIES))
    options = {
        "ip": HOST,
        "ip.bind": HOST,
        "dir": root / "data",
        "master.volumeSizeLimitMB": volume_megabytes,
        "master.telemetry": "false",
        "master.electionTimeout": "1s",  # a restarted master waits that long for other masters
        "volume.max": 0,
        "s3": "true",
        "s3.config": root / "s3.json",
        "s3.autoCreateBucket": "false",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        **ports,
    }
    url = f"http://{HOST}:{ports['s3.port']}"
    command = [script("weed"), f"-logdir={root}", "server"]
    with (
        _without_sockets_left(ports.values()),
        running(
            [*command, *(f"-{name}={value}" for name, value in options.items())],
            log=root / "weed.log",
            ready=lambda: answers(url) and _takes_files(ports["master.port"]),
            env={"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"},
            grace=0.2,  # an orderly shutdown takes seconds
        ) as process,
    ):
        yield Seaweed(
            url,
            "AKCI",
            "s3cret-of-ci",
            filer_url=f"http://{HOST}:{ports['filer.port']}",
            pid=process.pid,
        )
