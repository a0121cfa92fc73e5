"""Compiled wheels, looked at with the tools of their platforms.

The library for Linux is a real one, which its project built for every Linux; that for macOS is the smallest
that can be.
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
    """A Mach-O library without anything in it but the command to load another (mach-o/loader.h)."""
    path = loads.encode().ljust(-(-(len(loads) + 1) // 8) * 8, b"\0")
    command = struct.pack("<IIIIII", 0xC, 24 + len(path), 24, 0, 0, 0) + path
    header = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, 6, 1, len(command), 0, 0)
    return header + command


def linux_wheel(folder, library, tag):
    return make_wheel(folder, tag=tag, files={"sample/_native.abi3.so": library})


@pytest.mark.parametrize("loads", ["/usr/local/lib/libpng.dylib", "/Library/Frameworks/png"])
def test_a_macos_wheel_that_loads_from_the_build_machine_is_warned_of(loads, tmp_path, findings):
    files = {"sample/_native.so": macos_library(loads)}
    (finding,) = findings(make_wheel(tmp_path, tag="cp311-cp311-macosx_11_0_arm64", files=files))
    assert finding.check == "binary-macos"
    assert finding.severity is Severity.WARNING
    assert loads in finding.message


@pytest.mark.parametrize("loads", ["/usr/lib/libSystem.B.dylib", "@loader_path/.dylibs/libpng.dylib"])
def test_a_macos_wheel_that_loads_its_own_and_the_system_is_fine(loads, tmp_path, found):
    files = {"sample/_native.so": macos_library(loads)}
    assert found(make_wheel(tmp_path, tag="cp311-cp311-macosx_11_0_arm64", files=files)) == set()


def test_what_is_no_library_for_macos_is_passed_over(tmp_path, found):
    files = {"sample/_native.so": b"not a library at all"}
    assert found(make_wheel(tmp_path, tag="cp311-cp311-macosx_11_0_arm64", files=files)) == set()


@pytest.mark.parametrize(
    "start", [b"", b"\xca\xfe\xba\xbe" + b"\xff" * 40, struct.pack("<IIIIIII", 0xFEEDFACF, *[2**32 - 1] * 6)]
)
def test_what_only_begins_as_a_library_for_macos_is_passed_over(start, tmp_path, found):
    files = {"sample/_native.so": start}
    assert found(make_wheel(tmp_path, tag="cp311-cp311-macosx_11_0_arm64", files=files)) == set()


def test_a_library_for_macos_in_a_hostile_archive_is_not_unpacked(tmp_path, found):
    files = {"sample/_native.so": macos_library("/usr/local/lib/x.dylib") + bytes(80 << 20)}
    violations = found(make_wheel(tmp_path, tag="cp311-cp311-macosx_11_0_arm64", files=files))
    assert violations == {"archive-limits", "archive-ratio"}


def test_a_library_for_macos_that_no_installer_unpacks_is_not_looked_at(tmp_path, found):
    files = {"sample/_native.so": macos_library("/usr/local/lib/x.dylib")}
    path = make_wheel(tmp_path, tag="cp311-cp311-macosx_11_0_arm64", files=files, compression=ZIP_LZMA)
    violations = found(path)
    assert "zip-compression" in violations
    assert not violations & {"binary-macos", "check-failed"}


@pytest.mark.skipif(not ON_LINUX, reason="the sample library is one for Linux")
@pytest.mark.parametrize(
    ("abi", "audited"), [("abi3t", False), ("abi2026", False), ("abi3.abi3t", True), ("abi3", True)]
)
def test_a_stable_abi_that_abi3audit_does_not_know_is_named_as_not_audited(
    abi, audited, tmp_path, found, caplog
):
    caplog.set_level("INFO", logger="wheelrelay")
    violations = found(linux_wheel(tmp_path, PORTABLE, f"cp315-{abi}-{MACHINE}"))
    assert ("binary-abi3" in violations) is audited
    assert "check-failed" not in violations
    assert ("is not checked for" in caplog.text) is (abi != "abi3")


def test_a_wheel_without_libraries_is_not_looked_at(tmp_path, found):
    assert found(make_wheel(tmp_path, tag=f"cp311-abi3-{MACHINE}")) == set()


@pytest.mark.parametrize(
    ("library", "tag", "expected"),
    [
        pytest.param(PORTABLE, f"cp311-cp311-{MACHINE}", set(), id="portable"),
        pytest.param(PORTABLE, f"cp311-cp311-manylinux2014_{ARCH}", set(), id="portable, by its old name"),
        pytest.param(PORTABLE, f"cp311-cp311-manylinux_2_5_{ARCH}", {"binary-linux"}, id="tagged too low"),
        pytest.param(LOCAL, f"cp311-cp311-{MACHINE}", {"binary-linux"}, id="needs a library from outside"),
        pytest.param(PORTABLE, f"cp311-abi3-{MACHINE}", {"binary-abi3"}, id="not the stable ABI"),
        pytest.param(b"\x7fELF no more", f"cp311-abi3-{MACHINE}", set(), id="nothing that tools can read"),
    ]
    if ON_LINUX
    else [],
)
def test_a_linux_wheel_keeps_what_its_tag_promises(library, tag, expected, tmp_path, found):
    assert found(linux_wheel(tmp_path, library, tag)) == expected


def test_these_checks_are_known_and_need_their_tools():
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
