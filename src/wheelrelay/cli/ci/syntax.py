"""The commands of CI systems: log lines that they interpret, and files that they read.

All text in a command is escaped, so that it cannot end the command or begin another one. Other output is
escaped so that it contains no commands, because filenames and messages are untrusted:

- GitHub reads a line that begins with ``::`` as a command and, in old versions, ``##[`` anywhere.
  See "Workflow commands for GitHub Actions", and `actions/toolkit` for the escaping.
- Azure reads ``##vso[`` anywhere, and ``##[`` at the beginning of a line. See "Logging commands".
- GitLab reads ``section_start:`` and ``section_end:`` with a time. See "Custom collapsible sections".
"""

import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time
from typing import Any, Protocol, TextIO, cast

from wheelrelay.ci import CISystem
from wheelrelay.disk.writing import append_to_file
from wheelrelay.lazy_dataclass import dataclass

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A message that the CI system shows outside of the log.

    Attributes:
        level: ``error``, ``warning`` or ``notice``.
        title: a short title.
        message: the problem and what to do; may have several lines.
        file: the file of the repository that it refers to, relative to the repository's root.
    """

    level: str
    title: str
    message: str
    file: str | None = None


class CISyntax(Protocol):
    """The commands of one CI system; each method returns log lines, or an empty string."""

    def group(self, title: str, number: int) -> str:
        """Return the line that begins a collapsible group; ``number`` is unique."""

    def end_group(self, number: int) -> str:
        """Return the line that ends a group."""

    def annotation(self, annotation: Annotation) -> str:
        """Return the line that creates an annotation."""

    def output(self, name: str, value: str) -> str:
        """Set an output for later steps."""

    @property
    def summary(self) -> Path | None:
        """The file of the job summary, in Markdown."""


class GitHub:
    """GitHub Actions.

    Args:
        environment: environment variables; they name the files of the summary and of the outputs.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._outputs = _file_in(environment, "GITHUB_OUTPUT")
        self.summary = _file_in(environment, "GITHUB_STEP_SUMMARY")

    def group(self, title: str, number: int) -> str:
        """Return the beginning of a group; GitHub cannot nest groups."""
        del number
        return f"::group::{_github_data(title)}\n"

    def end_group(self, number: int) -> str:
        """Return the end of a group."""
        del number
        return "::endgroup::\n"

    def annotation(self, annotation: Annotation) -> str:
        """Return an annotation of the run, and of the file if it has one."""
        keys = {"title": annotation.title, "file": annotation.file}
        properties = ",".join(f"{key}={_github_property(value)}" for key, value in keys.items() if value)
        return f"::{annotation.level} {properties}::{_github_data(annotation.message)}\n"

    def output(self, name: str, value: str) -> str:
        """Write the value to the output file, between unguessable delimiters."""
        if self._outputs is not None:
            delimiter = f"end-{secrets.token_hex(16)}"
            text = f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
            append_to_file(self._outputs, text.encode("utf-8", "backslashreplace"))
        return ""


class GitLab:
    """GitLab CI, which has only collapsible sections."""

    summary = None

    def group(self, title: str, number: int) -> str:
        """Return the beginning of a section, with the current time."""
        name = f"wheelrelay_{os.getpid()}_{number}"
        return f"\x1b[0Ksection_start:{int(time())}:{name}\r\x1b[0K{_one_line(title)}\n"

    def end_group(self, number: int) -> str:
        """Return the end of a section, with the current time."""
        return f"\x1b[0Ksection_end:{int(time())}:wheelrelay_{os.getpid()}_{number}\r\x1b[0K\n"

    def annotation(self, annotation: Annotation) -> str:
        """Return nothing: GitLab has no annotations."""
        del annotation
        return ""

    def output(self, name: str, value: str) -> str:
        """Return nothing: GitLab has no outputs in the log."""
        del name, value
        return ""


class Azure:
    """Azure Pipelines."""

    summary = None

    def group(self, title: str, number: int) -> str:
        """Return the beginning of a group."""
        del number
        return f"##[group]{_one_line(title)}\n"

    def end_group(self, number: int) -> str:
        """Return the end of a group."""
        del number
        return "##[endgroup]\n"

    def annotation(self, annotation: Annotation) -> str:
        """Return an issue of the run; Azure has no notices."""
        if annotation.level == "notice":
            return ""
        text = _azure(f"{annotation.title}: {annotation.message}")
        return f"##vso[task.logissue type={annotation.level}]{text}\n"

    def output(self, name: str, value: str) -> str:
        """Set an output variable of the step."""
        return f"##vso[task.setvariable variable={name};isOutput=true]{_azure(value)}\n"


def syntax_of(system: CISystem, environment: Mapping[str, str] = os.environ) -> CISyntax | None:
    """Return the commands of a CI system, or ``None`` if it has none."""
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


_COMMANDS = re.compile(
    r"(?P<colon>(?:^|(?<=[\n\r]))[^\S\n\r]*:)(?=:)|(?P<sharp>#)(?=#(?:vso)?\[)|(?P<section>section_(?:start|end):)(?=\d)"
)


def escape_commands(text: str) -> str:
    """Return the text with a space inserted into everything that a CI system would read as a command.

    >>> escape_commands("::error::all is lost")
    ': :error::all is lost'
    """
    return _COMMANDS.sub(r"\g<0> ", text)


class EscapedStream:
    """A text stream that escapes commands in everything that is written to it.

    Args:
        stream: the stream to write to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text; the beginning of each piece counts as the beginning of a line."""
        self._stream.write(escape_commands(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # writing to it would bypass the escaping
            raise AttributeError(name)
        return getattr(self._stream, name)


@contextmanager
def escaped_streams() -> Iterator[Callable[[str], None]]:
    """Escape standard output and standard error; yield a function that writes our own commands unescaped."""
    stdout, stderr = sys.stdout, sys.stderr

    def write_command(command: str) -> None:
        with suppress(BrokenPipeError):  # the reader of the log has exited
            stderr.write(command)
            stderr.flush()

    sys.stdout, sys.stderr = cast("TextIO", EscapedStream(stdout)), cast("TextIO", EscapedStream(stderr))
    try:
        yield write_command
    finally:
        sys.stdout, sys.stderr = stdout, stderr
