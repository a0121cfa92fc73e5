"""Checks of compiled wheels with the tools of their platforms.

The Linux library is a real portable one; the macOS library is a minimal header.
"""

import platform
import struct
import sys
from pathlib import Path
from zipfile import ZIP_LZMA

import pydantic_core._pydantic_core
import pytest

from wheelrelay.checks import all_checks
from wheelrelay.checks.contract import FileChecks
from wheelrelay.checks.registry import families
from wheelrelay.records import Severity
from wheelrelay.testing.samples import make_wheel

ON_LINUX = sys.platform == "linux"
PORTABLE = Path(pydantic_core._pydantic_core.__file__).read_bytes()
LOCAL = PORTABLE.replace(b"libgcc_s.so.1", b"libxyz_s.so.1")
ARCH = platform.machine()
MACHINE = f"manylinux_2_17_{ARCH}"


def macos_library(loads):
    """Return a Mach-O library that only loads another one (mach-o/loader.h)."""
    path = loads.encode().ljust(-(-(len(loads) + 1) // 8) * 8, b"\0")
    command = struct.pack("<IIIIII", 0xC, 24 + len(path), 24, 0, 0, 0) + path
    header = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, 6, 1, len(command), 0, 0)
    return header + command


def linux_wheel(folder, library, tag):
    return make_wheel(folder, tag=tag, files={"sample/_native.abi3.so": library})


@pytest.mark.parametrize("loads", ["/usr/local/lib/libpng.dylib", "/Library/Frameworks/png"])
def test_warns_of_macos_library_path_on_the_build_machine(loads, tmp_path, findings):
    files = {"sample/_native.so": macos_library(loads)}
    (finding,) = findings(make_wheel(tmp_path, tag="cp311-cp311-macosx_11_0_arm64", files=files))
    assert finding.check == "binary-macos"
    assert finding.severity is Severity.WARNING
    assert loads in finding.message


@pytest.mark.parametrize("loads", ["/usr/lib/libSystem.B.dylib", "@loader_path/.dylibs/libpng.dylib"])
def test_accepts_macos_system_libraries_and_bundled_ones(loads, tmp_path, check_ids):
    files = {"sample/_native.so": macos_library(loads)}
    assert check_ids(make_wheel(tmp_path, tag="cp311-cp311-macosx_11_0_arm64", files=files)) == set()


def test_ignores_files_that_are_not_macos_libraries(tmp_path, check_ids):
    files = {"sample/_native.so": b"not a library at all"}
    assert check_ids(make_wheel(tmp_path, tag="cp311-cp311-macosx_11_0_arm64", files=files)) == set()


@pytest.mark.parametrize(
    "start", [b"", b"\xca\xfe\xba\xbe" + b"\xff" * 40, struct.pack("<IIIIIII", 0xFEEDFACF, *[2**32 - 1] * 6)]
)
def test_ignores_truncated_and_invalid_macos_libraries(start, tmp_path, check_ids):
    files = {"sample/_native.so": start}
    assert check_ids(make_wheel(tmp_path, tag="cp311-cp311-macosx_11_0_arm64", files=files)) == set()


def test_does_not_unpack_libraries_of_an_archive_beyond_limits(tmp_path, check_ids):
    files = {"sample/_native.so": macos_library("/usr/local/lib/x.dylib") + bytes(80 << 20)}
    violations = check_ids(make_wheel(tmp_path, tag="cp311-cp311-macosx_11_0_arm64", files=files))
    assert violations == {"archive-limits", "archive-ratio"}


def test_does_not_unpack_libraries_with_unsupported_compression(tmp_path, check_ids):
    files = {"sample/_native.so": macos_library("/usr/local/lib/x.dylib")}
    path = make_wheel(tmp_path, tag="cp311-cp311-macosx_11_0_arm64", files=files, compression=ZIP_LZMA)
    violations = check_ids(path)
    assert "zip-compression" in violations
    assert not violations & {"binary-macos", "check-failed"}


@pytest.mark.skipif(not ON_LINUX, reason="the sample library is for Linux")
@pytest.mark.parametrize(
    ("abi", "is_supported"), [("abi3t", False), ("abi2026", False), ("abi3.abi3t", True), ("abi3", True)]
)
def test_logs_stable_abis_that_abi3audit_does_not_support(abi, is_supported, tmp_path, check_ids, caplog):
    caplog.set_level("INFO", logger="wheelrelay")
    violations = check_ids(linux_wheel(tmp_path, PORTABLE, f"cp315-{abi}-{MACHINE}"))
    assert ("binary-abi3" in violations) is is_supported
    assert "check-failed" not in violations
    assert ("is not checked for" in caplog.text) is (abi != "abi3")


def test_skips_wheels_without_libraries(tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, tag=f"cp311-abi3-{MACHINE}")) == set()


@pytest.mark.parametrize(
    ("library", "tag", "expected"),
    [
        pytest.param(PORTABLE, f"cp311-cp311-{MACHINE}", set(), id="portable"),
        pytest.param(PORTABLE, f"cp311-cp311-manylinux2014_{ARCH}", set(), id="portable, legacy tag"),
        pytest.param(PORTABLE, f"cp311-cp311-manylinux_2_5_{ARCH}", {"binary-linux"}, id="tagged too low"),
        pytest.param(LOCAL, f"cp311-cp311-{MACHINE}", {"binary-linux"}, id="needs an external library"),
        pytest.param(PORTABLE, f"cp311-abi3-{MACHINE}", {"binary-abi3"}, id="not the stable ABI"),
        pytest.param(b"\x7fELF no more", f"cp311-abi3-{MACHINE}", set(), id="unreadable library"),
    ]
    if ON_LINUX
    else [],
)
def test_compares_linux_wheel_with_its_platform_tag(library, tag, expected, tmp_path, check_ids):
    assert check_ids(linux_wheel(tmp_path, library, tag)) == expected


def test_binary_checks_require_their_tools():
    optional = {
        check.id: family.required_module
        for family in families().values()
        if isinstance(family, FileChecks) and family.required_module
        for check in family.checks
    }
    assert optional == {
        "binary-abi3": "abi3audit",
        "binary-linux": "auditwheel",
        "binary-macos": "macholib",
    }
    assert optional.keys() <= {check.id for check in all_checks()}
