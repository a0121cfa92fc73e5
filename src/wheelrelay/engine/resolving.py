"""Find out with uv whether the dependencies of a release can be installed, before it is published."""

import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from wheelrelay.engine.context import ConnectedSink, Runtime
from wheelrelay.engine.gate import CheckedFile
from wheelrelay.engine.installing import (
    InstalledRelease,
    installed_releases,
    package_indexes,
    release_folder,
)
from wheelrelay.engine.listing import Inventory
from wheelrelay.environments import Environment, Platform, coverage_of, describe_environments
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.protocols import InstallerIndex
from wheelrelay.records import Finding, Severity
from wheelrelay.tools import Ended, PackageIndexes, clean_environment, find_uv, run_limited

UNRESOLVABLE, NO_WHEELS, UNKNOWN = "unresolvable", "dependency-without-wheel", "resolvable-unknown"
"""The ids of findings."""

TIMEOUT = 180.0
"""Seconds for one resolution."""

OLDEST_CPYTHON = (3, 8)
"""The oldest CPython that uv resolves for."""

_NO_SOLUTION = 1
"""The exit code of uv if no versions satisfy the requirements; others are errors of another kind."""

_GLIBC = (28, *range(31, 41))
"""The versions 2.x of glibc that uv can resolve for, without the oldest."""

_CURRENT_MACOS = (13, 0)
_WINDOWS = {"win_amd64": "x86_64", "win32": "i686", "win_arm64": "aarch64"}
_MAC = {"arm64": "aarch64", "x86_64": "x86_64"}
_LINUX = ("x86_64", "aarch64")
_TYPICAL = ("x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc")
"""Platforms that a wheel for all platforms is tried on; their markers differ."""

_WITHOUT_WHEELS = re.compile(r"([\w.-]+?)(?:[=<>!~]=?\S+)? ha(?:s|ve) no (?:usable )?wheels")
_NOT_READ = "could not be queried"
"""What uv writes about an index that refuses the credentials; it goes on with what it has."""

_MAX_REASON = 400
_UV_HINT = "Install uv, for example with `pip install uv`."
_HINT = "Publish the missing dependency first, or correct Requires-Dist and Requires-Python."


@dataclass(frozen=True, slots=True)
class Target:
    """What uv resolves for, and the environment that it is an example of.

    Attributes:
        environment: The interpreter and the name of the platform.
        python: The version of Python, such as ``3.13``.
        platform: uv's name of the platform.
        macos: The version of macOS, such as ``13.0``; empty elsewhere.
    """

    environment: Environment
    python: str
    platform: str
    macos: str = ""


def find_unresolvable(
    files: Sequence[CheckedFile],
    sink: ConnectedSink,
    inventory: Inventory | None,
    indexes: Sequence[InstallerIndex],
    runtime: Runtime,
) -> list[Finding]:
    """Resolve each release among the staged files for each of its environments.

    An environment is resolved for a current system: glibc 2.28 or macOS 13, unless the wheel needs a later
    one. Nothing is installed or built.

    Args:
        files: The staged files.
        sink: The sink, whose index has the dependencies.
        inventory: The files that the sink has.
        indexes: Further indexes for dependencies, in order.
        runtime: Threads.

    Raises:
        BackendError: The credentials of the sink cannot be resolved.
    """
    if not files:
        return []
    uv = find_uv()
    if uv is None:
        return [_unknown("Whether the release can be resolved is unknown: uv is not installed.", _UV_HINT)]
    with release_folder(files) as folder:
        packages = package_indexes(sink, indexes, folder)
        resolver = _Resolver(uv, packages, folder, runtime)
        return [
            finding for release in installed_releases(files, inventory) for finding in resolver.find(release)
        ]


class _Resolver:
    """Resolves releases with uv."""

    def __init__(self, uv: str, packages: PackageIndexes, folder: Path, runtime: Runtime) -> None:
        self._uv = uv
        self._packages = packages
        self._folder = folder
        self._runtime = runtime

    def find(self, release: InstalledRelease) -> list[Finding]:
        """Return the findings about one release."""
        targets = targets_of(release)
        if not targets:
            message = (
                f"Whether {release.pin} can be resolved is unknown: it has no wheel for a platform of uv."
            )
            return [_unknown(message, "Install it from the sdist on such a platform to find out.")]
        # One first: without a network, all others would fail the same way. It does not trust cached pages,
        # so that a dependency that was just published is found, and the others use the pages that it read.
        first = self._resolve(release, targets[0], "--refresh")
        if _is_unknown(first):
            return [self._not_resolved(release, first)]
        done = self._runtime.workers.run_all(targets[1:], partial(self._resolve, release))
        ended = {targets[0]: first, **{one.item: one.unwrap() for one in done}}
        failed = next((end for end in ended.values() if _is_unknown(end)), None)
        reasons: dict[str, list[Environment]] = {}
        for target in targets:
            if ended[target].code == _NO_SOLUTION and not _is_unknown(ended[target]):
                reasons.setdefault(_reason(ended[target].output), []).append(target.environment)
        findings = [_finding(release, reason, environments) for reason, environments in reasons.items()]
        return findings + ([self._not_resolved(release, failed)] if failed else [])

    def _resolve(self, release: InstalledRelease, target: Target, *options: str) -> Ended:
        command = [
            *(self._uv, "pip", "compile", "-", "--quiet", "--color", "never", "--no-config"),
            *("--no-header", "--no-annotate", "--no-python-downloads", "--only-binary", ":all:"),
            *("--python", sys.executable),
            *("--python-version", target.python, "--python-platform", target.platform),
            *self._packages.uv_arguments(),
            *options,
        ]
        variables = self._packages.uv_variables()
        if target.macos:
            variables["MACOSX_DEPLOYMENT_TARGET"] = target.macos
        return run_limited(
            command,
            environment=clean_environment(**variables),
            folder=self._folder,
            timeout=TIMEOUT,
            stdin=release.pin,
            stopped=self._runtime.stopped,
        )

    def _not_resolved(self, release: InstalledRelease, ended: Ended) -> Finding:
        if ended.code is None:
            reason = f"uv did not end within {TIMEOUT:.0f} s"
        else:
            refused = [line for line in ended.lines if _NOT_READ in line]
            reason = refused[0] if refused else ended.reason
        return _unknown(
            f"Whether {release.pin} can be resolved is unknown: {reason.rstrip('.') or 'uv failed'}.",
            "Check that the index of the sink can be reached from this machine.",
        )


def targets_of(release: InstalledRelease) -> list[Target]:
    """Return what to resolve for: the environments of CPython with the GIL on the platforms that uv knows."""
    targets = []
    for (python, platform_name), support in coverage_of(release.files).items():
        if python.kind != ("cp", False) or python.version < OLDEST_CPYTHON or support.oldest is None:
            continue
        version = ".".join(map(str, python.version))
        macos = ""
        if support.oldest.family == "macosx":
            oldest = support.oldest.version or _CURRENT_MACOS
            macos = ".".join(map(str, max(oldest, _CURRENT_MACOS)))
        targets += [
            Target((python, platform_name), version, platform, macos)
            for platform in uv_platforms(support.oldest)
        ]
    return targets


def uv_platforms(platform: Platform) -> tuple[str, ...]:
    """Return uv's names for a platform; none if it does not know the platform.

    >>> uv_platforms(Platform("manylinux", "x86_64", (2, 17))), uv_platforms(Platform("win32"))
    (('x86_64-manylinux_2_28',), ('i686-pc-windows-msvc',))
    """
    family, architecture, version = platform.family, platform.architecture, platform.version
    if family == "any":
        return _TYPICAL
    if family in _WINDOWS:
        return (f"{_WINDOWS[family]}-pc-windows-msvc",)
    if family == "macosx" and architecture in _MAC:
        return (f"{_MAC[architecture]}-apple-darwin",)
    if family in ("manylinux", "linux") and architecture in _LINUX:
        needed = version[1] if version else 0
        glibc = next((minor for minor in _GLIBC if minor >= needed), None)
        return () if glibc is None else (f"{architecture}-manylinux_2_{glibc}",)
    if family == "musllinux" and architecture in _LINUX:
        return (f"{architecture}-unknown-linux-musl",)
    return ()


def _unknown(message: str, hint: str) -> Finding:
    return Finding(UNKNOWN, Severity.WARNING, message, hint=hint)


def _is_unknown(ended: Ended) -> bool:
    """Return whether uv could not read an index, so that nothing follows about the release."""
    return ended.code not in (0, _NO_SOLUTION) or _NOT_READ in ended.output


def _finding(release: InstalledRelease, reason: str, environments: Sequence[Environment]) -> Finding:
    known = coverage_of(release.files).keys()
    described = describe_environments(dict.fromkeys(environments), known)
    message = f"{release.pin} cannot be resolved for {described}: {reason}."
    lacking = set(_WITHOUT_WHEELS.findall(reason))
    if lacking and release.project not in lacking:
        hint = "Installers build the sdist of the dependency there, or fail."
        return Finding(NO_WHEELS, Severity.WARNING, message, hint=hint)
    return Finding(UNRESOLVABLE, Severity.ERROR, message, hint=_HINT)


def _reason(output: str) -> str:
    """Return why uv found no solution, from its explanation."""
    text = " ".join(re.sub(r"[^\x20-\x7e]", " ", output).split())
    text = text.partition("hint:")[0]
    _, found, explanation = text.partition("Because ")
    reason = explanation.partition(", we can conclude")[0] if found else text
    return reason.strip(" .")[:_MAX_REASON]
