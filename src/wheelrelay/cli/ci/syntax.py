"""How CI systems are spoken to: lines in the log that they take for commands, and files that they read.

Every text that is put into a command is escaped here, so that none can end the command or begin another one.

- GitHub: "Workflow commands for GitHub Actions", and `actions/toolkit` for what is escaped.
- GitLab: "Custom collapsible sections" of job logs.
- Azure: "Logging commands" of Azure Pipelines.
"""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Protocol

from wheelrelay.ci import CISystem
from wheelrelay.disk.writing import append_to_file

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is to be seen without opening the log.

    Attributes:
        level: ``error``, ``warning`` or ``notice``.
        title: a few words.
        message: what is wrong and what to do; may have several lines.
        file: the file of the repository that it is about, from the repository's root.
    """

    level: str
    title: str
    message: str
    file: str | None = None


class Dialect(Protocol):
    """How one CI system is spoken to; each method gives lines for the log, which may be none."""

    def group(self, title: str, number: int) -> str:
        """The line that opens a part of the log that can be folded; ``number`` tells it from others."""

    def end_group(self, number: int) -> str:
        """The line that closes it."""

    def annotation(self, annotation: Annotation) -> str:
        """The line that makes an annotation."""

    def output(self, name: str, value: str) -> str:
        """Give a value to later steps."""

    @property
    def summary(self) -> Path | None:
        """The file that takes what is shown for the job as a whole, in Markdown."""


class GitHub:
    """GitHub Actions.

    Args:
        environment: names the files for the summary and for outputs.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._outputs = _file_in(environment, "GITHUB_OUTPUT")
        self.summary = _file_in(environment, "GITHUB_STEP_SUMMARY")

    def group(self, title: str, number: int) -> str:
        """A group; they cannot be nested."""
        del number
        return f"::group::{_github_data(title)}\n"

    def end_group(self, number: int) -> str:
        """Its end."""
        del number
        return "::endgroup::\n"

    def annotation(self, annotation: Annotation) -> str:
        """An annotation of the run, and of the file where there is one."""
        told = {"title": annotation.title, "file": annotation.file}
        properties = ",".join(f"{key}={_github_property(value)}" for key, value in told.items() if value)
        return f"::{annotation.level} {properties}::{_github_data(annotation.message)}\n"

    def output(self, name: str, value: str) -> str:
        """Written to a file, between two lines that nobody can guess."""
        if self._outputs is not None:
            mark = f"end-{secrets.token_hex(16)}"
            append_to_file(
                self._outputs, f"{name}<<{mark}\n{value}\n{mark}\n".encode("utf-8", "backslashreplace")
            )
        return ""


class GitLab:
    """GitLab CI: sections only."""

    summary = None

    def group(self, title: str, number: int) -> str:
        """A section, with the time of its beginning."""
        name = f"wheelrelay_{os.getpid()}_{number}"
        return f"\x1b[0Ksection_start:{int(time())}:{name}\r\x1b[0K{_one_line(title)}\n"

    def end_group(self, number: int) -> str:
        """Its end, with the time."""
        return f"\x1b[0Ksection_end:{int(time())}:wheelrelay_{os.getpid()}_{number}\r\x1b[0K\n"

    def annotation(self, annotation: Annotation) -> str:
        """There are none."""
        del annotation
        return ""

    def output(self, name: str, value: str) -> str:
        """There are none."""
        del name, value
        return ""


class Azure:
    """Azure Pipelines."""

    summary = None

    def group(self, title: str, number: int) -> str:
        """A group."""
        del number
        return f"##[group]{_one_line(title)}\n"

    def end_group(self, number: int) -> str:
        """Its end."""
        del number
        return "##[endgroup]\n"

    def annotation(self, annotation: Annotation) -> str:
        """An issue of the run; what is worth a notice only has no place there."""
        if annotation.level == "notice":
            return ""
        said = _azure(f"{annotation.title}: {annotation.message}")
        return f"##vso[task.logissue type={annotation.level}]{said}\n"

    def output(self, name: str, value: str) -> str:
        """An output variable of the step."""
        return f"##vso[task.setvariable variable={name};isOutput=true]{_azure(value)}\n"


def dialect_of(system: CISystem, environment: Mapping[str, str] = os.environ) -> Dialect | None:
    """How a CI system is spoken to; ``None`` if it takes no commands."""
    match system.name:
        case "github":
            return GitHub(environment)
        case "gitlab":
            return GitLab()
        case "azure":
            return Azure()
        case _:
            return None


def _file_in(environment: Mapping[str, str], variable: str) -> Path | None:
    return Path(environment[variable]) if environment.get(variable) else None


def _github_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")


def _azure(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _one_line(text: str) -> str:
    return _CONTROLS.sub(" ", text)
