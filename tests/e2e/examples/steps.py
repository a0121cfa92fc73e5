"""Take the shell out of the files of CI systems, and run it as the system would.

Each system puts values into a script in its own way before a shell sees it. This is done here too, letter by
letter, so that a test finds a script that a value could take over.
"""

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

BASH = ("bash", "--noprofile", "--norc")
BASH_STRICT = (*BASH, "-e", "-o", "pipefail")


@dataclass(frozen=True)
class Ended:
    """What a step left: its exit code, and what it said on standard output and standard error."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Step:
    """A piece of shell in the file of a CI system.

    Attributes:
        name: what it is called, with its job: ``build/Push``.
        script: its text, as it stands there.
        env: variables that the file sets for it, as they stand there.
        shell: the command that the system runs the script with, on Linux; its file is appended.
        fill: how the system puts values into the script and into the variables.
        condition: when it runs, as it stands there.
    """

    name: str
    script: str
    env: Mapping[str, str]
    shell: tuple[str, ...]
    fill: "Fill"
    condition: str | None = None

    def run(
        self,
        folder: Path,
        values: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        *,
        timeout: float = 60,
    ) -> Ended:
        """Run it in ``folder``.

        Args:
            folder: the working directory.
            values: what the system puts in: ``inputs.to``, ``secrets.KEY``, ``matrix.python`` ...
            env: variables that the system sets, and those of earlier steps.
            timeout: seconds after which it has failed.
        """
        process = self.start(folder, values, env)
        out, err = process.communicate(timeout=timeout)
        return Ended(process.returncode, out, err)

    def start(
        self, folder: Path, values: Mapping[str, str] | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start it, as `run` does, to be run beside others."""
        known = {**os.environ, **(env or {})}
        own = {name: self.fill(text, values or {}, known) for name, text in self.env.items()}
        file = folder / f".step-{abs(hash((self.name, os.urandom(4))))}.sh"
        file.write_text(self.fill(self.script, values or {}, {**known, **own}), encoding="utf-8")
        return subprocess.Popen(
            [*self.shell, str(file)],
            cwd=folder,
            env={**known, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


Fill = Callable[[str, Mapping[str, str], Mapping[str, str]], str]
"""Puts values into a text: the text, the values, and the environment so far."""


def documents(path: Path) -> list[Any]:
    """The documents of a YAML 1.2 file; those of a GitLab component are its header and its jobs."""
    return list(YAML(typ="safe", pure=True).load_all(path.read_text(encoding="utf-8")))


def github_steps(path: Path) -> list[Step]:
    """The ``run`` steps of a workflow or of a composite action."""
    (document,) = documents(path)
    if "runs" in document:
        return list(_github("", document["runs"]["steps"], {}))
    found: list[Step] = []
    for job, told in document["jobs"].items():
        env = {**document.get("env", {}), **told.get("env", {})}
        found += _github(f"{job}/", told.get("steps", ()), env)
    return found


def _github(job: str, steps: Any, env: Mapping[str, str]) -> Iterator[Step]:
    for number, step in enumerate(steps):
        if "run" in step:
            shell = {"bash": BASH_STRICT, "sh": ("sh", "-e"), None: ("bash", "-e")}[step.get("shell")]
            name = step.get("name") or step.get("id") or str(number)
            variables = {**env, **step.get("env", {})}
            yield Step(job + name, step["run"], _texts(variables), shell, fill_github, step.get("if"))


def fill_github(text: str, values: Mapping[str, str], env: Mapping[str, str]) -> str:
    """Put values in the place of ``${{ expressions }}``; what is not given is empty, as it is on GitHub."""

    def value(expression: str) -> str:
        if expression in values:
            return values[expression]
        if "||" in expression:
            operands = (value(operand.strip()) for operand in expression.split("||"))
            return next((found for found in operands if found), "")
        if quoted := re.fullmatch(r"'([^']*)'", expression):
            return quoted[1]
        if expression.startswith("env."):
            return env.get(expression.removeprefix("env."), "")
        if re.fullmatch(r"(inputs|secrets|vars|matrix|github|runner|steps|needs)(\.[\w-]+)+", expression):
            return ""
        raise ValueError(f"give the value of {expression!r}")

    return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", lambda found: value(found[1]), text)


GITLAB_WORDS = frozenset(
    ("default", "image", "include", "services", "stages", "variables", "workflow", "cache", "spec", "pages")
)
"""Top-level keys that are no jobs."""


def gitlab_steps(path: Path) -> list[Step]:
    """The jobs of a pipeline or of a component, each as one step; hidden jobs as well."""
    *header, document = documents(path)
    inputs = header[0]["spec"].get("inputs") or {} if header else {}
    given = {f"inputs.{name}": told["default"] for name, told in inputs.items() if "default" in told}
    usual = _texts(given)

    def fill(text: str, values: Mapping[str, str], env: Mapping[str, str]) -> str:
        return fill_gitlab(text, {**usual, **values}, env)

    common = document.get("default", {})
    found = []
    for job, told in document.items():
        if job in GITLAB_WORDS or not isinstance(told, dict):
            continue
        lines = [*_lines(told.get("before_script", common.get("before_script"))), *_lines(told.get("script"))]
        variables = {**document.get("variables", {}), **told.get("variables", {})}
        found.append(Step(job, "\n".join(lines), _texts(variables), BASH_STRICT, fill))
    return found


def fill_gitlab(text: str, values: Mapping[str, str], env: Mapping[str, str]) -> str:
    """Put values in the place of ``$[[ inputs.NAME ]]``."""
    del env
    return re.sub(r"\$\[\[\s*(.*?)\s*\]\]", lambda found: values[found[1]], text)


def azure_steps(path: Path) -> list[Step]:
    """The ``bash`` and ``script`` steps of a pipeline or of a template."""
    (document,) = documents(path)
    return list(_azure(document, {}))


def _azure(node: Any, variables: Mapping[str, str]) -> Iterator[Step]:
    """All steps below a stage, a job, a template or a ``${{ if }}``, in their order."""
    if isinstance(node, list):
        for one in node:
            yield from _azure(one, variables)
    elif isinstance(node, dict):
        text = node.get("bash") or node.get("script")
        if isinstance(text, str):
            name = node.get("displayName") or node.get("name") or "step"
            env = {**variables, **node.get("env", {})}
            yield Step(name, text, _texts(env), BASH, fill_azure, node.get("condition"))
            return
        own = node.get("variables", {})
        below = {**variables, **(own if isinstance(own, dict) else {})}
        for key, one in node.items():
            if key != "variables":
                yield from _azure(one, below)


def fill_azure(text: str, values: Mapping[str, str], env: Mapping[str, str]) -> str:
    """Put values in the place of ``${{ parameters.NAME }}`` and ``$(VARIABLE)``; unknown variables stay."""
    filled = re.sub(r"\$\{\{\s*(.*?)\s*\}\}", lambda found: values[found[1]], text)
    known = {**{name.upper(): value for name, value in env.items()}, **values}

    def value(found: re.Match[str]) -> str:
        return known.get(found[1], known.get(found[1].upper().replace(".", "_"), found[0]))

    return re.sub(r"\$\(([\w.]+)\)", value, filled)


def travis_steps(path: Path) -> list[Step]:
    """The phases of a build, each as one step; Travis runs every line of it and fails at the end."""
    (document,) = documents(path)
    names = ("before_install", "install", "before_script", "script", "after_success", "after_failure")
    env = _pairs((document.get("env") or {}).get("global", ()))
    return [
        Step(name, "\n".join(_lines(document[name])), env, BASH, _untouched)
        for name in names
        if name in document
    ]


def appveyor_steps(path: Path) -> list[Step]:
    """The ``sh`` commands of each phase, as on AppVeyor's Linux and macOS images."""
    (document,) = documents(path)
    names = ("init", "install", "build_script", "after_build", "test_script", "deploy_script", "on_success")
    env = _texts({k: v for k, v in (document.get("environment") or {}).items() if isinstance(v, str | int)})
    found = []
    for name in names:
        commands = [
            one["sh"] if isinstance(one, dict) else one for one in document.get(name) or () if _sh(one)
        ]
        if commands:
            found.append(Step(name, "\n".join(commands), env, BASH_STRICT, _untouched))
    return found


def _sh(command: Any) -> bool:
    return isinstance(command, str) or "sh" in command


def circleci_steps(path: Path) -> list[Step]:
    """The ``run`` steps of all jobs and commands."""
    (document,) = documents(path)
    found = []
    for room in ("commands", "jobs"):
        for job, told in document.get(room, {}).items():
            usual = {
                f"parameters.{name}": str(one["default"])
                for name, one in told.get("parameters", {}).items()
                if "default" in one
            }
            fill = _circleci_fill(usual)
            for step in told["steps"]:
                if isinstance(step, dict) and "run" in step:
                    run = step["run"] if isinstance(step["run"], dict) else {"command": step["run"]}
                    env = {**told.get("environment", {}), **run.get("environment", {})}
                    name = f"{job}/{run.get('name', 'run')}"
                    found.append(Step(name, run["command"], _texts(env), BASH_STRICT, fill))
    return found


def _circleci_fill(usual: Mapping[str, str]) -> Fill:
    def fill(text: str, values: Mapping[str, str], env: Mapping[str, str]) -> str:
        del env
        known = {**usual, **values}
        return re.sub(r"<<\s*([\w.]+)\s*>>", lambda found: known[found[1]], text)

    return fill


def buildkite_steps(path: Path) -> list[Step]:
    """The command steps; Buildkite puts values in when the pipeline is uploaded, and ``$$`` is a ``$``."""
    (document,) = documents(path)
    found = []
    for number, told in enumerate(document["steps"]):
        if isinstance(told, dict) and (lines := _lines(told.get("command") or told.get("commands"))):
            env = {**document.get("env", {}), **told.get("env", {})}
            name = told.get("label") or told.get("key") or str(number)
            found.append(Step(name, "\n".join(lines), _texts(env), BASH_STRICT, _fill_buildkite))
    return found


def _fill_buildkite(text: str, values: Mapping[str, str], env: Mapping[str, str]) -> str:
    known = {**env, **values}

    def value(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else known.get(found[1] or found[2], "")

    return re.sub(r"\$\$|\$\{(\w+)\}|\$(\w+)", value, text)


def jenkins_steps(path: Path) -> list[Step]:
    """The ``sh '''...'''`` steps of a Jenkinsfile; their strings are literal for Groovy."""
    found = re.findall(
        r"sh\s*(?:\(\s*(?:label:[^,]*,\s*)?script:\s*)?'''(.*?)'''", path.read_text(), re.DOTALL
    )
    return [Step(f"sh {number}", text, {}, ("sh", "-xe"), _untouched) for number, text in enumerate(found)]


def _untouched(text: str, values: Mapping[str, str], env: Mapping[str, str]) -> str:
    del values, env
    return text


def _lines(told: Any) -> list[str]:
    if told is None:
        return []
    return [told] if isinstance(told, str) else [line for part in told for line in _lines(part)]


def _texts(variables: Mapping[str, Any]) -> dict[str, str]:
    """Variables as the shell sees them; GitLab's may be tables with a ``value``."""
    plain = {name: one.get("value", "") if isinstance(one, dict) else one for name, one in variables.items()}
    return {name: str(one).lower() if isinstance(one, bool) else str(one) for name, one in plain.items()}


def _pairs(told: Any) -> dict[str, str]:
    """Travis's ``NAME=value`` lines, or a table; encrypted ones are left out."""
    if isinstance(told, dict):
        return _texts({name: one for name, one in told.items() if name != "secure"})
    pairs = (one.partition("=") for one in told if isinstance(one, str))
    return {name: value.strip("\"'") for name, _, value in pairs}
