"""Checks of compiled wheels with the tools of their platforms, where those are installed.

No index asks for these, so they warn: a library that is not in the wheel may be left out on purpose.
"""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wheelrelay.archives import read_zip
from wheelrelay.checks.check import Check, Profile, Violation, listed, shown
from wheelrelay.checks.contract import FileChecks
from wheelrelay.checks.distribution import Distribution
from wheelrelay.disk.folders import temporary_file, temporary_folder
from wheelrelay.disk.writing import write_all
from wheelrelay.records import Severity
from wheelrelay.stable_abis import STABLE_ABIS

logger = logging.getLogger(__name__)

LIBRARY = re.compile(r"\.(so(\.[\d.]+)?|dylib)$")
PROMISE = re.compile(r"(manylinux|musllinux)_(\d+)_(\d+)_(\w+)")
LEGACY = {
    "manylinux1_": "manylinux_2_5_",
    "manylinux2010_": "manylinux_2_12_",
    "manylinux2014_": "manylinux_2_17_",
}
OF_MACOS = ("/usr/lib/", "/System/", "@")
OWN_SYMBOLS = ("PyInit_", "PyModExport_")
MINUTES = 10

LINUX = Check(
    "binary-linux",
    "A manylinux or musllinux wheel needs nothing that the platform does not promise (auditwheel).",
    hint="Repair it with 'auditwheel repair', if the library was not left out on purpose.",
    severity=Severity.WARNING,
    profile=Profile.PYPI,
)
ABI3 = Check(
    "binary-abi3",
    "An abi3 wheel keeps to the stable ABI of its Python (abi3audit); abi3t and abi2026 are not audited.",
    hint="Build it against the stable ABI of that Python (Py_LIMITED_API), or tag it for one Python.",
    severity=Severity.WARNING,
    profile=Profile.PYPI,
)
MACOS = Check(
    "binary-macos",
    "A macOS wheel loads only libraries of the system and of its own (delocate).",
    hint="Repair it with 'delocate-wheel'.",
    severity=Severity.WARNING,
    profile=Profile.PYPI,
)


def find_linux(distribution: Distribution) -> Iterator[Violation]:
    """Find wheels that promise more portability than they have."""
    claims = [claim for claim in map(_promise, _platforms(distribution)) if claim]
    if not claims or not _libraries(distribution):
        return
    report = _report("auditwheel", "show", "--json", str(distribution.path))
    granted = _promise(report.get("overall_tag", ""))
    if "overall_tag" not in report or all(granted and _covers(granted, claim) for claim in claims):
        return
    outside = sorted(report.get("external_libs", {}))
    needs = f"; it needs {listed(outside)} from outside" if outside else ""
    yield LINUX.violation(f"auditwheel finds it fit for {shown(report['overall_tag'])}{needs}.")


def find_abi3(distribution: Distribution) -> Iterator[Violation]:
    """Find abi3 wheels that use what is not in the stable ABI.

    There is no tool that audits the other stable ABIs. A wheel for ``abi3.abi3t`` is audited for ``abi3``.
    """
    abis = {tag.abi for tag in distribution.file.tags} if distribution.file else set()
    if others := sorted(abis & STABLE_ABIS.keys() - {"abi3"}):
        logger.info(
            "%s is not audited for %s: abi3audit cannot do so.", distribution.filename, listed(others)
        )
    if "abi3" not in abis or not _libraries(distribution):
        return
    report = _report("abi3audit", "--report", str(distribution.path))
    for audit in (audit for spec in report.get("specs", {}).values() for audit in spec.get("wheel", [])):
        result = audit["result"]
        used = {*result["non_abi3_symbols"], *result["future_abi3_objects"]}
        foreign = sorted(name for name in used if not name.startswith(OWN_SYMBOLS))
        if foreign:
            yield ABI3.violation(f"{shown(audit['name'])} uses {listed(foreign)}.")


def find_macos(distribution: Distribution) -> Iterator[Violation]:
    """Find macOS wheels with libraries that load others by the path they had on the build machine."""
    libraries = _libraries(distribution)
    if not libraries or not any(platform.startswith("macosx_") for platform in _platforms(distribution)):
        return
    with read_zip(distribution.path) as archive, temporary_folder() as folder:
        infos = {info.filename: info for info in archive.infos}
        for library in libraries:
            with temporary_file(folder) as copy:
                for block in archive.blocks(infos[library]):
                    write_all(copy, block)
            outside = [path for path in _loaded_by(Path(copy.name)) if not path.startswith(OF_MACOS)]
            if outside:
                yield MACOS.violation(f"{shown(library)} loads {listed(outside)}.")


def _platforms(distribution: Distribution) -> set[str]:
    return {tag.platform for tag in distribution.file.tags} if distribution.file else set()


def _libraries(distribution: Distribution) -> list[str]:
    """The libraries in a wheel; none if it was not unpacked: the tools unpack all of it, without limits."""
    if distribution.contents.unproven:
        return []
    return [path for path, member in distribution.members.items() if member.digest and LIBRARY.search(path)]


def _promise(platform: str) -> tuple[str, str, int, int] | None:
    """The libc, the architecture and the version of the libc that a platform tag promises."""
    for legacy, current in LEGACY.items():
        platform = platform.replace(legacy, current)
    found = PROMISE.fullmatch(platform)
    return (found[1], found[4], int(found[2]), int(found[3])) if found else None


def _covers(granted: tuple[str, str, int, int], claim: tuple[str, str, int, int]) -> bool:
    """Whether the claim holds, after the platform that was found to do; musl has no symbol versions."""
    return granted[:2] == claim[:2] and (claim[0] == "musllinux" or granted[2:] <= claim[2:])


def _report(tool: str, *arguments: str) -> dict[str, Any]:
    """What a tool reports as JSON on its output; nothing if it fails, or is too old to do so.

    They do fail on sound wheels, as auditwheel does on some for musl where the libc is another.
    """
    command = [sys.executable, "-m", tool, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60 * MINUTES, check=False)  # noqa: S603
        report: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        logger.info("%s could not look at %s: %s", tool, arguments[-1], error)
        return {}
    return report


def _loaded_by(library: Path) -> list[str]:
    """The paths of the libraries that a Mach-O library loads; none if it is no such library."""
    from macholib.MachO import MachO

    try:
        headers = MachO(str(library)).headers
        return sorted({path for header in headers for _, _, path in header.walkRelocatables()})
    except Exception as error:  # noqa: BLE001  (whatever a library that is none makes the reader raise)
        logger.info("%s is not read as a Mach-O library: %s", library, error)
        return []


LINUX_WHEELS = FileChecks((LINUX,), find_linux, needs="auditwheel")
ABI3_WHEELS = FileChecks((ABI3,), find_abi3, needs="abi3audit")
MACOS_WHEELS = FileChecks((MACOS,), find_macos, needs="macholib")
