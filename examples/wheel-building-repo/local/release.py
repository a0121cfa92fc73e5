"""Rehearse a release on this machine: push the files in dist to a Swift, and relay them to an index.

python local/release.py CHECKOUT

CHECKOUT is a checkout of wheelrelay; its tests can start Swift and pypiserver. Both use free local ports,
store their files in build/servers, and are stopped at the end.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), sys.argv[1]]

from build_wheel import test  # noqa: E402
from settings import BUILD, COMMIT, DIST, setting  # noqa: E402
from tests.servers.indexes import IndexServer, run_pypiserver  # noqa: E402
from tests.servers.swift import Swift, run_swift  # noqa: E402

CONTAINER = "wheels"
PAGE_TIMEOUT = 120.0
"""Seconds to wait until the public page lists the pushed files; behind a CDN it can take many minutes."""

CONFIGURATION = """
[remotes.staging]
type = "swift"
container = "{container}"
auth_url = "{swift.auth_url}"
auth_version = "1"
username = {{ env = "OS_USERNAME" }}
password = {{ env = "OS_PASSWORD" }}
public_url = "{public}"

[remotes.index]
type = "index"
url = "{index.simple_url}"
upload_url = "{index.upload_url}"
checks = {{ profile = "pypi" }}        # everything that PyPI refuses

[routes.release]
source = "staging"
sinks = ["index"]
wait = "2m"

[routes.release.expect]
wheels = ["{python}-*-manylinux*"]
sdist = true
commit = "{commit}"
"""


def main() -> None:
    """Push, wait, relay, install."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Terminated."))
    project = setting("PROJECT")
    version = sdist_version(project)
    folder = BUILD / "servers"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("swift", "index"):
        (folder / name).mkdir(parents=True)
    with run_swift(folder / "swift") as swift, run_pypiserver(folder / "index") as index:
        public = swift.make_container(CONTAINER, public=True)
        configure(swift, index, public)
        requirement = f"{project}=={version}"
        commit = COMMIT.read_text(encoding="utf-8").strip()
        files = [str(path.relative_to(ROOT)) for path in sorted(DIST.iterdir())]
        wheelrelay("push", *files, "--to", "staging", "--build", f"commit={commit}")
        wait_for(f"{public}/simple/{project}/", [path.name for path in DIST.iterdir()])
        wheelrelay("relay", "release", requirement, "--yes", "--receipt", "build/receipt.json")
        wheelrelay("verify", "release", requirement)
        print_heading(f"pip install {requirement}, from the index alone, and run its tests")
        test(requirement, "--isolated", "--only-binary", ":all:", "--index-url", index.simple_url)
    print_heading(f"{requirement}, built from {commit}, is published and tested. All servers are stopped.")


def sdist_version(project: str) -> str:
    """Return the version in the name of the sdist in dist."""
    prefix, suffix = f"{project}-", ".tar.gz"
    versions = [path.name[len(prefix) : -len(suffix)] for path in DIST.glob(f"{prefix}*{suffix}")]
    if len(versions) != 1:
        sys.exit(f"dist has {len(versions)} sdists of {project} instead of one. Run `make wheel` first.")
    return versions[0]


def configure(swift: Swift, index: IndexServer, public: str) -> None:
    """Write the configuration, and set the environment variables that name it and its credentials."""
    values = {"container": CONTAINER, "swift": swift, "index": index, "public": public}
    values["python"] = f"cp{sys.version_info.major}{sys.version_info.minor}"
    values["commit"] = COMMIT.read_text(encoding="utf-8").strip()
    path = BUILD / "wheelrelay.toml"
    path.write_text(CONFIGURATION.format(**values), encoding="utf-8")
    os.environ["WHEELRELAY_CONFIG"] = str(path)
    os.environ |= {"OS_USERNAME": swift.username, "OS_PASSWORD": swift.password}


def wait_for(page: str, filenames: list[str]) -> None:
    """Wait until a public page of the container lists all files."""
    print_heading(f"Wait for {page}")
    deadline = time.monotonic() + PAGE_TIMEOUT
    while missing := [name for name in filenames if name not in read(page)]:
        if time.monotonic() > deadline:
            sys.exit(f"{page} does not list {', '.join(missing)} after {PAGE_TIMEOUT:.0f} seconds.")
        time.sleep(1)
    print(f"It lists {', '.join(sorted(filenames))}.")


def read(page: str) -> str:
    """Return the public page, or an empty string if it does not exist."""
    try:
        with urllib.request.urlopen(page, timeout=30) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        error.close()
        return ""


def wheelrelay(*arguments: str) -> None:
    """Run wheelrelay in the folder of the example."""
    print_heading(shlex.join(["wheelrelay", *arguments]))
    command = [sys.executable, "-m", "wheelrelay", *arguments]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit("wheelrelay failed; see the error above.")


def print_heading(text: str) -> None:
    """Print a heading."""
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    main()
