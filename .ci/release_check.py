"""Build all distributions of the project, and check them as they would be published: ``make release-check``.

Needs the packages of the ``dev`` extra, and an index to install dependencies from.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import wheelrelay
from wheelrelay import WheelrelayError

ROOT = Path(__file__).parents[1]
PROJECTS = (ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml")))
UV = (sys.executable, "-m", "uv", "--quiet")
TESTS_OF_SDIST = (
    "tests/test_language.py",
    "tests/test_layout.py",
    "tests/e2e/test_release_machinery.py",
    "tests/docs",
)
"""The tests that read the most files of the project."""


def run(command: Sequence[str | Path], folder: Path = ROOT) -> str:
    """Run a program and return its output; end with its output if it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}")
    return done.stdout


def build(dist: Path) -> None:
    """Build a wheel and an sdist of the core and of each plugin into an empty folder."""
    shutil.rmtree(dist, ignore_errors=True)
    for project in PROJECTS:
        run([*UV, "build", "--out-dir", dist, project])
    (dist / ".gitignore").unlink(missing_ok=True)


def check(dist: Path) -> None:
    """Check the files by PyPI's rules, with wheelrelay and with twine."""
    run([sys.executable, "-m", "wheelrelay", "check", dist, "--profile", "pypi"])
    run([sys.executable, "-m", "twine", "check", "--strict", *sorted(dist.iterdir())])


def relay(dist: Path, index: Path) -> None:
    """Relay the files to a directory by the route that publishes them."""
    config = wheelrelay.load_config(ROOT / ".github" / "wheelrelay.toml")
    route = config.route("release")
    local = wheelrelay.Route(
        source=str(dist),
        sinks=[wheelrelay.Remote("index", wheelrelay.DirectoryConfig(path=index, pages=True))],
        expect=route.expect,
    )
    receipt = wheelrelay.relay(local)
    if not receipt.is_complete or len(receipt.files) != 2 * len(PROJECTS):
        sys.exit(f"The relay is not complete: {receipt}")


def check_sdist(dist: Path, folder: Path) -> None:
    """Compare the sdist of the core with the files under version control, and run tests from it.

    Args:
        dist: The built files.
        folder: An empty folder outside of the checkout, to unpack the sdist into.
    """
    (sdist,) = dist.glob("wheelrelay-[0-9]*.tar.gz")
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
        archive.extractall(folder, filter="data")
    missing = [name for name in run(["git", "ls-files"]).split("\n") if name and name not in packed]
    if missing:
        sys.exit(f"The sdist lacks {len(missing)} files: {', '.join(missing[:10])}")
    (root,) = folder.iterdir()
    pytest = (sys.executable, "-m", "pytest", "--quiet", "-m", "not long", "--rootdir", root)
    sources = ("--override-ini", "pythonpath=. src")  # of the sdist, and not those of this checkout
    run(
        [
            *pytest,
            *sources,
            "--config-file",
            root / "pyproject.toml",
            *(root / name for name in TESTS_OF_SDIST),
        ],
        root,
    )


def check_readme(dist: Path) -> None:
    """Make sure that the README, as PyPI shows it, has no links into this repository."""
    (wheel,) = dist.glob("wheelrelay-[0-9]*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        text = archive.read(name).decode()
    if relative := re.findall(r'(?:\]\(|(?:src|srcset)=")(?!https?://|#)[^)"]+', text):
        sys.exit(f"The README has relative links on PyPI: {', '.join(relative)}")


def install(dist: Path, folder: Path, requirements: Sequence[str], types: set[str]) -> Path:
    """Install distributions into a fresh environment, and return its folder of programs.

    Args:
        dist: The built files.
        folder: Where to create the environment.
        requirements: What to install.
        types: The types of remotes that must be available then.
    """
    run([*UV, "venv", "--python", sys.executable, folder])
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    options = ("--python", programs / "python", "--constraint", ROOT / "tests" / "constraints.txt")
    run([*UV, "pip", "install", *options, "--find-links", dist, *requirements])
    listed = run([programs / "wheelrelay", "backends"])
    missing = [name for name in types if name not in listed]
    if missing:
        sys.exit(f"After installing {', '.join(requirements)}, types are missing: {', '.join(missing)}")
    return programs


def types_of(project: Path) -> set[str]:
    """Return the types of remotes that a distribution provides."""
    table = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {*table.get("entry-points", {}).get("wheelrelay.backends", {})}


def install_all(dist: Path, folder: Path) -> None:
    """Install each distribution alone and all together, and run the demo."""
    for project in PROJECTS:
        name = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
        install(dist, folder / name, [name], types_of(project))
        print(f"{name} works alone.", flush=True)
    every = set().union(*map(types_of, PROJECTS))
    programs = install(dist, folder / "all", ["wheelrelay[all,demo]"], every)
    print("All of them work together.", flush=True)
    run([programs / "wheelrelay", "demo"])


def main() -> None:
    """Build and check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dist", type=Path, help="the folder for the built files; emptied first")
    dist = parser.parse_args().dist.absolute()
    with TemporaryDirectory() as temporary:
        build(dist)
        print(f"Built {len(list(dist.iterdir()))} files.", flush=True)
        check(dist)
        check_sdist(dist, Path(temporary) / "sdist")
        check_readme(dist)
        try:
            relay(dist, Path(temporary) / "index")
        except WheelrelayError as error:
            sys.exit(str(error))
        print("They are complete, and PyPI would accept them.", flush=True)
        install_all(dist, Path(temporary))
    print("The demo works with them.")


if __name__ == "__main__":
    main()
