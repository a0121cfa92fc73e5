"""Compare the data that PyPI publishes as packages, in their newest versions, with what is installed here.

PyPI takes its classifiers from trove-classifiers, and licences and wheel tags from packaging. Run
``python docs/compare_data.py`` before a release: it installs both into a temporary folder by pip, shows what
differs, and exits with 1 if something does. Raise the minimum versions in pyproject.toml then.
"""

import json
import subprocess
import sys
import tempfile

PACKAGES = ("trove-classifiers", "packaging")
LISTED = """
import json, sys
sys.path.insert(0, sys.argv[1])
from packaging._manylinux import _ALLOWED_ARCHS
from packaging.licenses._spdx import EXCEPTIONS, LICENSES
from packaging.metadata import _VALID_METADATA_VERSIONS
from trove_classifiers import classifiers, deprecated_classifiers
data = {
    "classifiers": classifiers,
    "deprecated classifiers": deprecated_classifiers,
    "SPDX licences": LICENSES,
    "SPDX exceptions": EXCEPTIONS,
    "metadata versions": _VALID_METADATA_VERSIONS,
    "architectures of manylinux": _ALLOWED_ARCHS,
}
print(json.dumps({name: sorted(values) for name, values in data.items()}))
"""


def data(folder: str) -> dict[str, list[str]]:
    """The data as packages in a folder have it; as those that are installed if it is empty."""
    listed = subprocess.run(
        [sys.executable, "-c", LISTED, folder], check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, list[str]] = json.loads(listed)
    return found


def differences(ours: dict[str, list[str]], newest: dict[str, list[str]]) -> list[str]:
    """What is in one and not in the other, as lines."""
    lines = []
    for name in newest:
        here, there = set(ours.get(name, ())), set(newest[name])
        lines += [f"{name}: new: {value}" for value in sorted(there - here)]
        lines += [f"{name}: gone: {value}" for value in sorted(here - there)]
    return lines


def main() -> int:
    """Compare, and show what differs."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder]
        subprocess.run([*pip, *PACKAGES], check=True)
        lines = differences(data(""), data(folder))
    print("\n".join(lines) or "Nothing differs.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
