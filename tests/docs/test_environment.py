"""The reference lists the environment variables that the code reads."""

import re
import tomllib

from tests.test_layout import ROOT, relative, sources

PREFIXES = (
    *("WHEELRELAY_", "TWINE_", "GITHUB_", "CI_", "GH_"),
    *("ANACONDA_", "AWS_", "AZURE_", "BINSTAR_", "OS_", "RACKSPACE_", "ST_"),
)
NAME = re.compile(rf"\"((?:{'|'.join(PREFIXES)})[A-Z0-9_]+)\"")


def documented():
    groups = tomllib.loads((ROOT / "docs" / "environment.toml").read_text(encoding="utf-8"))["group"]
    return [name for group in groups for row in group["variables"] for name in row["names"]]


def read_by_the_code():
    """Return the variables whose names are constants of the code, except for those of samples for tests."""
    code = [path for path in sources() if not relative(path).startswith("src/wheelrelay/testing/")]
    return {name for path in code for name in NAME.findall(path.read_text(encoding="utf-8"))}


def test_every_variable_is_documented_once():
    assert read_by_the_code() - {*documented()} == set()
    assert len(documented()) == len({*documented()})


def test_every_documented_variable_exists():
    """Some are read by libraries, and some names are put together."""
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in (*sources(), *ROOT.glob("plugins/*/README.md"))
    )
    libraries = {"NO_COLOR", "COLUMNS"}
    parts = {name: name.rpartition("<REMOTE>")[2] for name in documented()}
    missing = {name for name, part in parts.items() if part not in text and part.lower() not in text}
    assert missing <= libraries
