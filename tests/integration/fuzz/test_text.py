"""Random filenames, patterns, requirements, lists of sums, and .pypirc files."""

from pathlib import Path

import pytest
from tests.integration.fuzz.conftest import fuzz
from tests.integration.fuzz.strategies import NAMES, joined

from wheelrelay.config.pypirc import sections
from wheelrelay.expect import expected_wheels, from_build_identifiers, parse_sha256sums
from wheelrelay.filenames import dist_file, is_plain, looks_like_distribution, parse_filename, split_companion
from wheelrelay.select import parse_requirement

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]


@fuzz(NAMES)
def test_filename_is_parsed_or_refused(guard, name):
    with guard():
        looks_like_distribution(name)
        split_companion(name)
        parse_filename(name)
        file = dist_file(name)
        assert is_plain(name)
        assert not set(name) & set("/\\\0\n\r")
        assert Path(name).name == name == file.filename


PATTERNS = joined("cp312", "{", "}", ",", "311", "-", "*", "?", "[", "]", "!", "abi3t", "win32", "manylinux*")


@fuzz(PATTERNS, joined("sample", "==", ">=", "1.0", ".*", ",", "[x]", ";", " @ ", "python_version<'3'", "("))
def test_pattern_and_requirement_are_parsed_or_refused(guard, pattern, requirement):
    for read in (lambda: expected_wheels([pattern]), lambda: from_build_identifiers(pattern)):
        with guard():
            read()
    with guard():
        parse_requirement(requirement)


@fuzz(
    joined(
        "[pypi]", "[distutils]", "\n", "index-servers =", "    pypi", "username: __token__", "%(x)s", "= x"
    )
)
def test_pypirc_is_read_or_refused(guard, text):
    path = guard.folder / "input" / "pypirc"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    path.chmod(0o600)
    (guard.folder / ".pypirc").unlink(missing_ok=True)
    (guard.folder / ".pypirc").symlink_to(path)
    try:
        with guard():
            sections()
    finally:
        (guard.folder / ".pypirc").unlink()


SUMS = joined(
    "0" * 64, "a" * 63, " ", "  ", " *", "\n", "\r\n", "#", "dist/", "sample-1.0.tar.gz", "SHA256 (", ") = "
)


@fuzz(SUMS, examples=[(("0" * 64 + " ") * 20_000,), ("SHA256 (" * 50_000,), ("SHA256 (" + ") = " * 50_000,)])
def test_sums_are_read_or_refused(guard, text):
    with guard():
        assert all("/" not in name and "\\" not in name for name in parse_sha256sums(text))
