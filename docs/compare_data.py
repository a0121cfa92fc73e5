"""Compare the installed versions of the packages that contain PyPI's data with the newest ones.

PyPI takes its classifiers from trove-classifiers, and license ids and wheel tags from packaging. Run
``python docs/compare_data.py`` before a release. It installs both packages into a temporary folder with pip,
prints the differences, and exits with 1 if there are any. In that case, raise the minimum versions in
pyproject.toml.
"""

import json
import subprocess
import sys
import tempfile

PACKAGES = ("trove-classifiers", "packaging")
LIST_DATA = """
import json, sys
sys.path.insert(0, sys.argv[1])
from packaging._manylinux import _ALLOWED_ARCHS
from packaging.licenses._spdx import EXCEPTIONS, LICENSES
from packaging.metadata import _VALID_METADATA_VERSIONS
from trove_classifiers import classifiers, deprecated_classifiers
data = {
    "classifiers": classifiers,
    "deprecated classifiers": deprecated_classifiers,
    "SPDX licenses": LICENSES,
    "SPDX exceptions": EXCEPTIONS,
    "metadata versions": _VALID_METADATA_VERSIONS,
    "architectures of manylinux": _ALLOWED_ARCHS,
}
print(json.dumps({name: sorted(values) for name, values in data.items()}))
"""


def data(folder: str) -> dict[str, list[str]]:
    """Return the data of the packages in a folder.

    Args:
        folder: an empty string for the installed packages.
    """
    output = subprocess.run(
        [sys.executable, "-c", LIST_DATA, folder], check=True, capture_output=True, text=True
    ).stdout
    values: dict[str, list[str]] = json.loads(output)
    return values


def differences(installed: dict[str, list[str]], newest: dict[str, list[str]]) -> list[str]:
    """Return one line for each value that only one side has."""
    lines = []
    for name in newest:
        old, new = set(installed.get(name, ())), set(newest[name])
        lines += [f"{name}: new: {value}" for value in sorted(new - old)]
        lines += [f"{name}: removed: {value}" for value in sorted(old - new)]
    return lines


def main() -> int:
    """Compare, and print the differences."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder]
        subprocess.run([*pip, *PACKAGES], check=True)
        lines = differences(data(""), data(folder))
    print("\n".join(lines) or "No differences.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
