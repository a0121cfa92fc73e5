"""Install a staged release into fresh environments, and run a command there, before it is published.

This runs code of the release and of its dependencies.
"""

import logging
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.tags import platform_tags

from wheelrelay.disk.folders import temporary_folder
from wheelrelay.engine.context import ConnectedSink, Runtime, SmokePolicy
from wheelrelay.engine.gate import CheckedFile
from wheelrelay.engine.installing import (
    InstalledRelease,
    installed_releases,
    package_indexes,
    release_folder,
)
from wheelrelay.engine.listing import Inventory
from wheelrelay.environments import Interpreter
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import Kind
from wheelrelay.protocols import InstallerIndex
from wheelrelay.records import Finding, Severity
from wheelrelay.tools import (
    Ended,
    PackageIndexes,
    clean_environment,
    find_uv,
    foreign_environment,
    run_limited,
)
from wheelrelay.tools.interpreters import FoundInterpreter, find_interpreter

FAILED, UNKNOWN = "smoke-failed", "smoke-unknown"
"""The ids of findings."""

INSTALL_TIMEOUT = 900.0
"""Seconds for creating an environment, and for installing into it."""

_log = logging.getLogger(__name__)


def find_broken(
    files: Sequence[CheckedFile],
    sink: ConnectedSink,
    inventory: Inventory | None,
    policy: SmokePolicy,
    indexes: Sequence[InstallerIndex],
    runtime: Runtime,
) -> list[Finding]:
    """Install each release among the staged files, and run the command of the route.

    Args:
        files: The staged files.
        sink: The sink, whose index has the dependencies.
        inventory: The files that the sink has.
        policy: The interpreters and the command.
        indexes: Further indexes for dependencies, in order.
        runtime: Stops the command if the relay is to end.

    Raises:
        BackendError: The credentials of the sink cannot be resolved.
    """
    if not files:
        return []
    with release_folder(files) as folder, temporary_folder("smoke") as work:
        tester = _Tester(package_indexes(sink, indexes, folder), policy, work, runtime)
        return [
            finding for release in installed_releases(files, inventory) for finding in tester.find(release)
        ]


@dataclass(frozen=True, slots=True)
class _Trial:
    """One installation: of the wheel, or of the sdist, with one interpreter."""

    release: InstalledRelease
    kind: Kind
    python: FoundInterpreter

    @property
    def label(self) -> str:
        """The subject, for messages."""
        return f"{self.release.pin} ({self.kind.value}) with {self.python.interpreter.label}"


class _Tester:
    """Installs releases, and runs the command."""

    def __init__(self, packages: PackageIndexes, policy: SmokePolicy, folder: Path, runtime: Runtime) -> None:
        self._packages = packages
        self._policy = policy
        self._folder = folder
        self._runtime = runtime
        self._uv = find_uv()

    def find(self, release: InstalledRelease) -> list[Finding]:
        """Return the findings about one release."""
        findings: list[Finding] = []
        trials = list(self._trials(release, findings))
        if not trials:
            message = (
                f"The smoke test of {release.pin} ran nowhere: this machine has no suitable interpreter."
            )
            return [*findings, Finding(FAILED, Severity.ERROR, message, hint=_NOWHERE)]
        for trial in trials:
            failure = self._failure(trial)
            if failure:
                findings.append(failure)
        return findings

    def _trials(self, release: InstalledRelease, findings: list[Finding]) -> Iterator[_Trial]:
        """Yield what can be tried here, and record what cannot."""
        for text in self._policy.pythons:
            python = find_interpreter(text, self._folder)
            if python is None:
                findings.append(
                    _unknown(f"{release.pin} was not tested with Python {text}: it is not here.", _ABSENT)
                )
                continue
            if _fits(release, python.interpreter):
                yield _Trial(release, Kind.WHEEL, python)
            else:
                label = python.interpreter.label
                findings.append(
                    _unknown(f"{release.pin} has no wheel for {label} on this machine.", _NO_WHEEL)
                )
            if self._policy.sdist and release.has(Kind.SDIST):
                if self._packages.has_credentials:
                    findings.append(_unknown(f"The sdist of {release.pin} was not tested.", _PRIVATE))
                else:
                    yield _Trial(release, Kind.SDIST, python)

    def _failure(self, trial: _Trial) -> Finding | None:
        with temporary_folder("env") as folder:
            environment = folder / "environment"
            for ended in self._install(trial, environment, folder):
                if ended.code != 0:
                    return _failed(trial, "cannot be installed", ended, INSTALL_TIMEOUT)
            programs = environment / ("Scripts" if sys.platform == "win32" else "bin")
            home = folder / "home"
            home.mkdir()
            path = os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)])
            program = shutil.which(self._policy.command[0], path=path)
            if program is None:
                ended = Ended(127, f"{self._policy.command[0]} was not found")
            else:
                ended = run_limited(
                    [program, *self._policy.command[1:]],
                    environment=foreign_environment(home, PATH=path, VIRTUAL_ENV=str(environment)),
                    folder=home,
                    timeout=self._policy.timeout,
                    stopped=self._runtime.stopped,
                )
            if ended.code == 0:
                return None
            return _failed(trial, f"fails `{shlex.join(self._policy.command)}`", ended, self._policy.timeout)

    def _install(self, trial: _Trial, environment: Path, folder: Path) -> Iterator[Ended]:
        """Create an environment and install the release; yield how each program ended."""
        python = environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        project = trial.release.project
        form = ["--no-binary" if trial.kind is Kind.SDIST else "--only-binary", project]
        if trial.kind is Kind.WHEEL and self._packages.has_credentials:
            form = ["--only-binary", ":all:"]  # a build would see the credentials of the index
        if self._uv:
            quiet = ("--quiet", "--no-config", "--color", "never")
            create = [self._uv, "venv", *quiet, "--no-python-downloads", "--python", trial.python.path]
            yield self._run([*create, str(environment)], folder)
            command = [self._uv, "pip", "install", *quiet, "--python", str(python), *form]
            command += [*self._packages.uv_arguments(), trial.release.pin]
            yield self._run(command, folder, **self._packages.uv_variables())
        else:
            yield self._run([trial.python.path, "-m", "venv", str(environment)], folder)
            command = [str(python), "-m", "pip", "install", "--quiet", "--no-input", *form, trial.release.pin]
            variables = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
            yield self._run(command, folder, **variables, **self._packages.pip_variables())

    def _run(self, command: Sequence[str], folder: Path, **variables: str) -> Ended:
        return run_limited(
            command,
            environment=clean_environment(**variables),
            folder=folder,
            timeout=INSTALL_TIMEOUT,
            stopped=self._runtime.stopped,
        )


_NOWHERE = "Name an interpreter of this machine in `smoke.python`, or remove `smoke` from the route."
_ABSENT = "Install it, or write its path."
_NO_WHEEL = "Test it on a machine that a wheel is for, or with `smoke.sdist`."
_PRIVATE = "A build could read the password of the index, so sdists are tested with public indexes only."
_SEE = "The output is above. Correct the release, and run the same command again."


def _fits(release: InstalledRelease, python: Interpreter) -> bool:
    """Return whether the release has a wheel for an interpreter on this machine."""
    here = {"any", *platform_tags()}
    return any(
        python.satisfies(file.requires_python)
        and any(tag.platform in here and python.accepts(tag) for tag in file.tags)
        for file in release.files
        if not file.variant
    )


def _unknown(message: str, hint: str) -> Finding:
    return Finding(UNKNOWN, Severity.WARNING, message, hint=hint)


def _failed(trial: _Trial, what: str, ended: Ended, timeout: float) -> Finding:
    """Return the finding, and log the output of the program."""
    if ended.output.strip():
        _log.warning("%s %s:\n%s", trial.label, what, ended.output.rstrip())
    reason = f"exit code {ended.code}" if ended.code is not None else f"it did not end within {timeout:.0f} s"
    printed = ended.reason.rstrip(".")
    message = f"{trial.label} {what}: {reason}{f'; {printed}' if printed else ''}."
    return Finding(FAILED, Severity.ERROR, message, hint=_SEE)
