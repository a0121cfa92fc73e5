"""Checks of compiled wheels with the tools of their platforms: auditwheel, abi3audit, delocate's macholib.

They are skipped if a tool is not installed. They only warn, since no index requires them and a library may
be left out of a wheel on purpose.
"""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from wheelrelay.archives import open_zip
from wheelrelay.checks.contract import Check, FileChecks, Profile, Violation
from wheelrelay.checks.distribution import Distribution
from wheelrelay.disk.folders import temporary_file, temporary_folder
from wheelrelay.disk.writing import write_all
from wheelrelay.printable import join_names, printable
from wheelrelay.records import Severity
from wheelrelay.tags import STABLE_ABIS

logger = logging.getLogger(__name__)

_LIBRARY = re.compile(r"\.(so(\.[\d.]+)?|dylib)$")
_LIBC_TAG = re.compile(r"(manylinux|musllinux)_(\d+)_(\d+)_(\w+)")
_LEGACY_TAGS = {
    "manylinux1_": "manylinux_2_5_",
    "manylinux2010_": "manylinux_2_12_",
    "manylinux2014_": "manylinux_2_17_",
}
_MACOS_SYSTEM_PATHS = ("/usr/lib/", "/System/", "@")
_INIT_SYMBOLS = ("PyInit_", "PyModExport_")
TIMEOUT = 600
"""Seconds that a tool may take."""

LINUX = Check(
    "binary-linux",
    "A manylinux or musllinux wheel needs nothing beyond its platform tag (auditwheel).",
    hint="Run 'auditwheel repair', unless the libraries are left out on purpose.",
    severity=Severity.WARNING,
    profile=Profile.PYPI,
)
ABI3 = Check(
    "binary-abi3",
    "An abi3 wheel uses only the stable ABI of its Python (abi3audit); abi3t and abi2026 are not checked.",
    hint="Build it against the stable ABI of that Python (Py_LIMITED_API), or tag it for one Python.",
    severity=Severity.WARNING,
    profile=Profile.PYPI,
)
MACOS = Check(
    "binary-macos",
    "A macOS wheel loads only system libraries and its own (delocate).",
    hint="Run 'delocate-wheel'.",
    severity=Severity.WARNING,
    profile=Profile.PYPI,
)


class _LibcTag(NamedTuple):
    """The parts of a manylinux or musllinux tag."""

    family: str
    arch: str
    version: tuple[int, int]

    def includes(self, other: "_LibcTag") -> bool:
        """Return whether a wheel that runs on this platform also runs on another."""
        # musl has no symbol versions, so auditwheel cannot tell its versions apart.
        is_old_enough = other.family == "musllinux" or self.version <= other.version
        return (self.family, self.arch) == (other.family, other.arch) and is_old_enough


def _find_linux(distribution: Distribution) -> Iterator[Violation]:
    tags = [tag for tag in map(_parse_libc_tag, _platforms(distribution)) if tag]
    if not tags or not _libraries(distribution):
        return
    report = _run_tool("auditwheel", "show", "--json", str(distribution.path))
    if "overall_tag" not in report:
        return
    actual = _parse_libc_tag(report["overall_tag"])
    if actual is not None and all(actual.includes(tag) for tag in tags):
        return
    outside = sorted(report.get("external_libs", {}))
    needs = f" and needs {join_names(outside)}, which the wheel does not contain" if outside else ""
    yield LINUX.violation(f"auditwheel rates the wheel as {printable(report['overall_tag'])}{needs}.")


def _find_abi3(distribution: Distribution) -> Iterator[Violation]:
    """Find abi3 wheels that use symbols outside the stable ABI; no tool checks the other stable ABIs."""
    abis = {tag.abi for tag in distribution.file.tags} if distribution.file else set()
    if others := sorted(abis & STABLE_ABIS.keys() - {"abi3"}):
        logger.info(
            "%s is not checked for %s: abi3audit does not support it.",
            distribution.filename,
            join_names(others),
        )
    if "abi3" not in abis or not _libraries(distribution):
        return
    report = _run_tool("abi3audit", "--report", str(distribution.path))
    for audit in (audit for spec in report.get("specs", {}).values() for audit in spec.get("wheel", [])):
        result = audit["result"]
        symbols = {*result["non_abi3_symbols"], *result["future_abi3_objects"]}
        foreign = sorted(name for name in symbols if not name.startswith(_INIT_SYMBOLS))
        if foreign:
            yield ABI3.violation(f"{printable(audit['name'])} uses {join_names(foreign)}.")


def _find_macos(distribution: Distribution) -> Iterator[Violation]:
    """Find libraries that load others by their path on the build machine."""
    libraries = _libraries(distribution)
    if not libraries or not any(platform.startswith("macosx_") for platform in _platforms(distribution)):
        return
    with open_zip(distribution.path) as archive, temporary_folder() as folder:
        infos = {info.filename: info for info in archive.infos}
        for library in libraries:
            with temporary_file(folder) as copy:
                for block in archive.blocks(infos[library]):
                    write_all(copy, block)
            loaded = _loaded_libraries(Path(copy.name))
            outside = [path for path in loaded if not path.startswith(_MACOS_SYSTEM_PATHS)]
            if outside:
                yield MACOS.violation(f"{printable(library)} loads {join_names(outside)}.")


def _platforms(distribution: Distribution) -> set[str]:
    return {tag.platform for tag in distribution.file.tags} if distribution.file else set()


def _libraries(distribution: Distribution) -> list[str]:
    """Return the libraries in a wheel; none if its members are not verified.

    The tools unpack all of a wheel without limits, so they must not run on an unverified one.
    """
    if distribution.contents.unverified_reason:
        return []
    return [path for path, member in distribution.members.items() if member.digest and _LIBRARY.search(path)]


def _parse_libc_tag(platform: str) -> _LibcTag | None:
    for legacy, current in _LEGACY_TAGS.items():
        platform = platform.replace(legacy, current)
    match = _LIBC_TAG.fullmatch(platform)
    return _LibcTag(match[1], match[4], (int(match[2]), int(match[3]))) if match else None


def _run_tool(tool: str, *arguments: str) -> dict[str, Any]:
    """Return the JSON report of a tool; empty if the tool fails or is too old.

    Tools also fail on valid wheels, such as auditwheel on some musllinux wheels on a system with glibc.
    """
    command = [sys.executable, "-m", tool, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)  # noqa: S603
        report: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        logger.info("%s could not check %s: %s", tool, arguments[-1], error)
        return {}
    return report


def _loaded_libraries(library: Path) -> list[str]:
    """Return the paths of the libraries that a Mach-O library loads; none if it is not a Mach-O library."""
    from macholib.MachO import MachO  # optional

    try:
        headers = MachO(str(library)).headers
        return sorted({path for header in headers for _, _, path in header.walkRelocatables()})
    except Exception as error:  # noqa: BLE001  (macholib raises any error for other files)
        logger.info("%s cannot be read as a Mach-O library: %s", library, error)
        return []


LINUX_CHECKS = FileChecks((LINUX,), _find_linux, required_module="auditwheel")
ABI3_CHECKS = FileChecks((ABI3,), _find_abi3, required_module="abi3audit")
MACOS_CHECKS = FileChecks((MACOS,), _find_macos, required_module="macholib")
