"""Distribution files that each break exactly one check, with twins that do not break it.

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> from wheelrelay.checks import check_files
>>> with TemporaryDirectory() as folder:
...     [finding.check for finding in check_files([BROKEN["platform-tag"].broken(Path(folder))])]
['platform-tag']
"""

import re
import shutil
from collections.abc import Callable, Mapping
from hashlib import shake_256
from pathlib import Path
from typing import Any

from wheelrelay.archives.protected_code import PYARMOR_MARKERS
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.testing import broken_archives as archives
from wheelrelay.testing.samples import make_sdist, make_variants, make_wheel, record_of, wheel_members

Builder = Callable[[Path], Path]


@dataclass(frozen=True, slots=True)
class BrokenSample:
    """Functions that write a file that breaks one check, and its repaired twin, into a folder."""

    broken: Builder
    repaired: Builder


def wheel(**arguments: Any) -> Builder:
    """Return a function that writes a sample wheel; see `make_wheel`."""
    return lambda folder: make_wheel(folder, **arguments)


def sdist(**arguments: Any) -> Builder:
    """Return a function that writes a sample sdist; see `make_sdist`."""
    return lambda folder: make_sdist(folder, **arguments)


def fields(broken: Mapping[str, Any], repaired: Mapping[str, Any] | None = None) -> BrokenSample:
    """Return a wheel with an error in METADATA, and one with the field corrected or left out."""
    return BrokenSample(wheel(metadata=broken), wheel(metadata=repaired or {}))


def record(edit: Callable[[str], str]) -> BrokenSample:
    """Return a wheel with an error in RECORD, and one with a correct RECORD."""
    path = "sample-1.0.dist-info/RECORD"
    correct = record_of(wheel_members("sample", "1.0"), path).decode()
    return BrokenSample(wheel(unrecorded={path: edit(correct).encode()}), wheel())


def scripts(broken: str, repaired: str) -> BrokenSample:
    """Return a wheel with an error in entry_points.txt, and one with a correct file."""
    path = "sample-1.0.dist-info/entry_points.txt"
    return BrokenSample(wheel(files={path: broken.encode()}), wheel(files={path: repaired.encode()}))


def renamed(build: Builder, filename: str) -> Builder:
    """Return a function that renames the file that ``build`` writes."""
    return lambda folder: Path(shutil.move(build(folder), folder / filename))


PLAIN = wheel()
PEP639 = {"Metadata-Version": "2.4"}
INIT = "sample/__init__.py"
INFO = "sample-1.0.dist-info"
DENSE = shake_256().digest(800_000)
"""Incompressible bytes: together with zeros, they give a wheel a high but plausible compression ratio."""

BROKEN: Mapping[str, BrokenSample] = {
    "archive-corrupt": BrokenSample(archives.corrupt_wheel, archives.stored_wheel),
    "archive-limits": BrokenSample(
        archives.sdist_with_comment(1 << 20), archives.sdist_with_comment(1 << 10)
    ),
    "archive-ratio": BrokenSample(
        wheel(payload=DENSE + bytes(64 << 20)), wheel(payload=DENSE + bytes(32 << 20))
    ),
    "archive-stray-data": BrokenSample(archives.wheel_with_trailing_data, PLAIN),
    "archive-unreadable": BrokenSample(archives.truncated_wheel, archives.stored_wheel),
    "classifier-deprecated": fields(
        {"Classifier": "Natural Language :: Ukranian"}, {"Classifier": "Natural Language :: Ukrainian"}
    ),
    "classifier-private": fields({"Classifier": "Private :: Do Not Upload"}),
    "classifier-unknown": fields({"Classifier": "Topic :: Cheese"}, {"Classifier": "Topic :: Utilities"}),
    "entry-points": scripts("[console_scripts]\nrun : sample\n", "[console_scripts]\nrun = sample:main\n"),
    "filename": BrokenSample(renamed(PLAIN, "sample-1.0-any.whl"), PLAIN),
    "filename-length": BrokenSample(
        wheel(tag=f"py3-none-any{'.any' * 56}"), wheel(tag=f"py3-none-any{'.any' * 54}")
    ),
    "filename-metadata": fields({"Name": "simple"}),
    "filename-normalized": BrokenSample(
        sdist(name="Sample", filename="Sample-1.0.tar.gz"), sdist(name="Sample")
    ),
    "license-file": BrokenSample(
        wheel(metadata={**PEP639, "License-File": "LICENSE"}),
        wheel(metadata={**PEP639, "License-File": "LICENSE"}, files={f"{INFO}/licenses/LICENSE": b"Do."}),
    ),
    "local-version": BrokenSample(wheel(version="1.0+local"), PLAIN),
    "member-path": BrokenSample(wheel(files={"../outside.py": b""}), wheel(files={"inside.py": b""})),
    "metadata-description": fields(
        {"Description-Content-Type": "text/x-rst", "Description": "Title\n==\n\n.. unknown::\n"},
        {"Description-Content-Type": "text/x-rst", "Description": "Title\n=====\n\n.. note:: known\n"},
    ),
    "metadata-direct-url": fields(
        {"Requires-Dist": "other @ https://example.org/other-1.0.tar.gz"}, {"Requires-Dist": "other>=1.0"}
    ),
    "metadata-email": fields(
        {"Author-email": "Ann <ann@localhost>"}, {"Author-email": "Ann <ann@example.org>"}
    ),
    "metadata-field": fields({"Requires-Python": "latest"}, {"Requires-Python": ">=3.11"}),
    "metadata-license": fields(
        {**PEP639, "License": "MIT", "License-Expression": "MIT"}, {**PEP639, "License-Expression": "MIT"}
    ),
    "metadata-required": fields({"Name": None}),
    "metadata-summary": fields({"Summary": "x" * 513}, {"Summary": "x" * 512}),
    "metadata-url": fields({"Home-page": "example.org"}, {"Home-page": "https://example.org"}),
    "metadata-url-label": fields(
        {"Project-URL": f"{'x' * 33}, https://example.org"},
        {"Project-URL": f"{'x' * 32}, https://example.org"},
    ),
    "metadata-unreadable": BrokenSample(archives.sdist_with_linked_metadata, sdist()),
    "metadata-version": fields({"Metadata-Version": "2.6"}, {"Metadata-Version": "2.5"}),
    "platform-tag": BrokenSample(
        wheel(tag="cp311-cp311-linux_x86_64"), wheel(tag="cp311-cp311-manylinux_2_17_x86_64")
    ),
    "protected-code": BrokenSample(
        wheel(files={"sample/x.py": PYARMOR_MARKERS[1]}), wheel(files={"sample/x.py": b"pyarmor_enter\n"})
    ),
    "record-absent": BrokenSample(wheel(unrecorded={INIT: None}), wheel(files={INIT: None})),
    "record-digest": record(lambda text: re.sub(r"sha256=[^,]+", "", text, count=1)),
    "record-folder": record(lambda text: f"sample,,\n{text}"),
    "record-fields": record(lambda text: text.replace("\n", ",more\n", 1)),
    "record-hash": BrokenSample(
        wheel(files={INIT: b"old"}, unrecorded={INIT: b"new"}), wheel(files={INIT: b"new"})
    ),
    "record-size": record(lambda text: re.sub(r",\d+\n", ",1\n", text, count=1)),
    "record-syntax": record(lambda text: f"{text}\n"),
    "record-unlisted": BrokenSample(wheel(unrecorded={"new.py": b""}), wheel(files={"new.py": b""})),
    "sdist-duplicate-member": BrokenSample(archives.sdist_with_twice("pyproject.toml"), sdist()),
    "sdist-format": BrokenSample(archives.zip_sdist, sdist()),
    "sdist-link": BrokenSample(archives.sdist_with_link("../../etc"), archives.sdist_with_link("PKG-INFO")),
    "sdist-member-name": BrokenSample(sdist(files={"Icon\r": b""}), sdist(files={"Icon": b""})),
    "sdist-pkg-info": BrokenSample(sdist(files={"PKG-INFO": None}), sdist()),
    "sdist-pkg-info-path": BrokenSample(archives.sdist_with_dots, sdist()),
    "sdist-sparse-file": BrokenSample(archives.sdist_with_sparse_file, sdist()),
    "sdist-special-file": BrokenSample(archives.sdist_with_pipe, sdist()),
    "sdist-top-folder": BrokenSample(archives.sdist_with_two_folders, sdist()),
    "sdist-trailing-data": BrokenSample(archives.sdist_with_trailing_data, sdist()),
    "sdist-two-metadata": BrokenSample(archives.sdist_with_twice("PKG-INFO"), sdist()),
    "wheel-build": BrokenSample(wheel(build="1", wheel={"Build": "2"}), wheel(build="1")),
    "wheel-dist-info": BrokenSample(wheel(files={f"{INFO}/WHEEL": None}), PLAIN),
    "wheel-dist-info-name": BrokenSample(renamed(PLAIN, "sample-1.0.0-py3-none-any.whl"), PLAIN),
    "wheel-one-dist-info": BrokenSample(
        wheel(files={"other-0.9.dist-info/METADATA": b"Metadata-Version: 2.1\nName: other\nVersion: 0.9\n"}),
        PLAIN,
    ),
    "wheel-purelib": BrokenSample(wheel(wheel={"Root-Is-Purelib": "perhaps"}), PLAIN),
    "wheel-signature": BrokenSample(wheel(unrecorded={f"{INFO}/RECORD.jws": b"{}"}), PLAIN),
    "wheel-stray-dist-info": BrokenSample(wheel(files={"Sample-1.0.dist-info/LICENSE": b"Do."}), PLAIN),
    "wheel-python-tag": BrokenSample(wheel(tag="cp3.14-none-any"), wheel(tag="cp314-none-any")),
    "wheel-requires-python": BrokenSample(
        wheel(tag="cp311-none-any", metadata={"Requires-Python": ">=3.12"}),
        wheel(tag="cp311-abi3-win_arm64", metadata={"Requires-Python": ">=3.12"}),
    ),
    "wheel-tags": BrokenSample(wheel(wheel={"Tag": "py2-none-any"}), PLAIN),
    "wheel-variant": BrokenSample(
        wheel(filename="sample-1.0-py3-none-any-cu130.whl"),
        wheel(filename="sample-1.0-1-py3-none-any.whl", wheel={"Build": "1"}),
    ),
    "variants-file": BrokenSample(make_variants, PLAIN),
    "wheel-version": BrokenSample(wheel(wheel={"Wheel-Version": "2.0"}), PLAIN),
    "zip-also-tar": BrokenSample(archives.wheel_and_tar, archives.stored_wheel),
    "zip-compression": BrokenSample(archives.bzip2_wheel, PLAIN),
    "zip-data-descriptor": BrokenSample(archives.streamed_wheel, PLAIN),
    "zip-duplicate-member": BrokenSample(archives.wheel_with_duplicate, PLAIN),
    "zip-member-name": BrokenSample(wheel(files={"sample/Icon\x01": b""}), wheel(files={"sample/Icon": b""})),
    "zip-two-contents": BrokenSample(archives.wheel_with_two_contents, PLAIN),
    "zip-headers-differ": BrokenSample(archives.wheel_with_two_names, PLAIN),
    "zip-records": BrokenSample(archives.wheel_with_false_end, PLAIN),
    "zip-member-comment": BrokenSample(archives.wheel_with_comment, PLAIN),
}
"""Distribution files that break only this check, by its id."""
