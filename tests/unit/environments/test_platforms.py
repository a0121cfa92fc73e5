"""Platforms that tags name, and the tags that they accept."""

import platform
import sys

import pytest
from packaging.tags import platform_tags

from wheelrelay.environments import Platform, platforms_of

MANYLINUX = Platform("manylinux", "x86_64", (2, 17))


@pytest.mark.skipif(sys.platform != "linux", reason="the glibc of this machine is asked")
def test_accepts_the_platform_tags_that_this_machine_accepts():
    libc, version = platform.libc_ver()
    assert libc == "glibc"
    here = Platform("manylinux", platform.machine(), tuple(map(int, version.split("."))))

    assert all(here.accepts(tag) for tag in platform_tags())


@pytest.mark.parametrize(
    ("tag", "accepted"),
    [("manylinux2014_x86_64", True), ("manylinux1_x86_64", True), ("manylinux_2_5_x86_64", True),
     ("linux_x86_64", True), ("any", True), ("manylinux_2_18_x86_64", False), ("manylinux2014_i686", False),
     ("musllinux_1_1_x86_64", False)],
)  # fmt: skip
def test_glibc_accepts_wheels_for_the_same_and_older_versions(tag, accepted):
    assert MANYLINUX.accepts(tag) is accepted


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("manylinux2014_aarch64", ["manylinux aarch64, glibc 2.17"]),
        ("manylinux_2_28_x86_64", ["manylinux x86_64, glibc 2.28"]),
        ("musllinux_1_2_x86_64", ["musllinux x86_64, musl 1.2"]),
        ("macosx_10_9_x86_64", ["macOS x86_64, macOS 10.9"]),
        ("macosx_10_9_universal2", ["macOS arm64, macOS 11", "macOS x86_64, macOS 10.9"]),
        ("macosx_14_0_arm64", ["macOS arm64, macOS 14"]),
        ("win32", ["Windows x86"]),
        ("win_amd64", ["Windows amd64"]),
        ("ios_13_0_arm64_iphoneos", ["iOS arm64 iphoneos, iOS 13.0"]),
        ("android_21_arm64_v8a", ["Android arm64_v8a, Android API level 21"]),
        ("pyodide_2024_0_wasm32", ["Pyodide wasm32"]),
        ("linux_armv7l", ["linux armv7l"]),
        ("any", ["any platform"]),
    ],
)
def test_derives_platforms_from_tags(tag, expected):
    platforms = platforms_of([tag])

    assert [", ".join(filter(None, (p.name, p.requirement))) for p in platforms] == expected
    assert all(platform.accepts(tag) for platform in platforms)


def test_a_linux_wheel_is_for_current_systems():
    (current,) = platforms_of(["linux_x86_64"])

    assert current.accepts("manylinux_2_35_x86_64")
    assert not current.accepts("musllinux_1_2_x86_64")
