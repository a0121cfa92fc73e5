"""The command lines of wheelrelay and of the tools beside it."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from shutil import which

from tests.benchmarks.peers import peer

PARALLEL = "8"
"""Transfers at once, where a tool has to be told."""

CREDENTIALS = {
    f"{tool}_{what}": "bench" for tool in ("TWINE", "UV_PUBLISH") for what in ("USERNAME", "PASSWORD")
}

BASELINE = Path(__file__).parent / "baselines"


def python(name: str, *words: str) -> list[str]:
    """A script of `baselines`."""
    return [sys.executable, str(BASELINE / name), *words]


def urllib(addresses: Sequence[str], bundle: Path | None) -> list[str]:
    """Fetch one by one; the authority is in the environment."""
    return python("fetch.py", *addresses)


def curl(addresses: Sequence[str], bundle: Path | None) -> list[str]:
    """Fetch several at once by curl."""
    trust = ["--cacert", str(bundle)] if bundle else []
    parallel = ["--parallel", "--parallel-immediate", "--parallel-max", PARALLEL]
    return ["curl", "--silent", "--show-error", "--fail", *trust, *parallel, "--remote-name-all", *addresses]


def aria2c(addresses: Sequence[str], bundle: Path | None) -> list[str]:
    """Fetch several at once by aria2."""
    trust = [f"--ca-certificate={bundle}"] if bundle else []
    options = ["--quiet", "--no-conf", "--force-sequential", "--file-allocation=none"]
    return ["aria2c", *options, f"--max-concurrent-downloads={PARALLEL}", *trust, *addresses]


def wheelhouse_uploader(addresses: Sequence[str], bundle: Path | None) -> list[str]:
    """Fetch several at once by wheelhouse-uploader, which reads the listing itself."""
    fetch = [peer("wheelhouse-uploader", "python"), "-m", "wheelhouse_uploader", "fetch"]
    listing = addresses[0].rpartition("/")[0] + "/"
    return [*fetch, "--version", "1.0", "--local-folder", ".", "bench", listing]


def twine(address: str, names: Sequence[str]) -> list[str]:
    """Upload by twine; credentials and the authority are in the environment."""
    options = ["--non-interactive", "--disable-progress-bar", "--repository-url", address]
    return [peer("twine"), "upload", *options, *names]


def uv(address: str, names: Sequence[str]) -> list[str]:
    """Upload by uv; credentials and the authority are in the environment."""
    options = ["--no-config", "--no-progress", "--trusted-publishing", "never", "--publish-url", address]
    return [peer("uv"), "publish", *options, *names]


DOWNLOADS: Mapping[str, Callable[[Sequence[str], Path | None], list[str]]] = {
    "urllib": urllib,
    "curl": curl,
    "aria2c": aria2c,
    "wheelhouse-uploader": wheelhouse_uploader,
}
"""Command lines that fetch addresses into the working folder, trusting an authority."""

UPLOADS: Mapping[str, Callable[[str, Sequence[str]], list[str]]] = {"twine": twine, "uv": uv}
"""Command lines that publish files of the working folder to an address."""


def present(tools: Sequence[str]) -> list[str]:
    """Those of the system's tools that are there."""
    return [tool for tool in tools if which(tool)]


def missing(tools: Sequence[str]) -> list[str]:
    """What is to be said of those that are not there."""
    return [f"{tool} is missing." for tool in tools if not which(tool)]
