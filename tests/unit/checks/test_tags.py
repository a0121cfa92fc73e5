"""Platform tags that PyPI accepts, and tags in WHEEL and in the filename."""

import pytest

from wheelrelay.records import Severity
from wheelrelay.testing.samples import make_wheel

ACCEPTED = [
    "any",
    "win32",
    "win_amd64",
    "win_arm64",
    "win_ia64",
    "manylinux1_i686",
    "manylinux2010_x86_64",
    "manylinux2014_armv7l",
    "manylinux2014_ppc64",
    "manylinux_2_17_ppc64",
    "manylinux_2_28_riscv64",
    "manylinux_2_39_s390x",
    "musllinux_1_2_aarch64",
    "linux_armv6l",
    "linux_armv7l",
    "macosx_10_9_x86_64",
    "macosx_10_16_universal2",
    "macosx_11_0_arm64",
    "macosx_15_0_arm64",
    "macosx_26_0_universal2",
    "macosx_10_6_intel",
    "ios_13_0_arm64_iphoneos",
    "ios_13_0_x86_64_iphonesimulator",
    "android_24_arm64_v8a",
    "android_21_x86",
    "pyemscripten_2026_0_wasm32",
]

REFUSED = [
    "linux_x86_64",
    "linux_aarch64",
    "manylinux1_aarch64",
    "manylinux2010_aarch64",
    "manylinux2014_riscv64",
    "manylinux_2_17_armv6l",
    "musllinux_1_2_ppc64",
    "macosx_11_1_arm64",
    "macosx_16_0_arm64",
    "macosx_10_9_riscv64",
    "win_x86_64",
    "ios_13_0_armv7_iphoneos",
    "android_24_mips",
    "emscripten_3_1_58_wasm32",
    "anything",
]


@pytest.mark.parametrize("platform", ACCEPTED)
def test_accepts_platform_tag_of_pypi(platform, tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, tag=f"py3-none-{platform}")) == set()


@pytest.mark.parametrize("platform", REFUSED)
def test_refuses_platform_tag_unknown_to_pypi(platform, tmp_path, findings):
    (finding,) = findings(make_wheel(tmp_path, tag=f"py3-none-{platform}"))
    assert finding.check == "platform-tag"
    assert platform in finding.message


def test_checks_each_platform_of_a_compressed_tag_set(tmp_path, findings):
    path = make_wheel(tmp_path, tag="cp311-cp311-manylinux_2_17_x86_64.linux_x86_64")
    (finding,) = findings(path)
    assert "linux_x86_64" in finding.message
    assert "manylinux" not in finding.message


def test_warns_of_renamed_wheel(tmp_path, findings):
    path = make_wheel(tmp_path, filename="sample-1.0-py2.py3-none-any.whl")
    (finding,) = findings(path)
    assert finding.check == "wheel-tags"
    assert finding.severity is Severity.WARNING
    assert "py2-none-any" in finding.message


def test_compressed_tag_sets_are_compared_expanded(tmp_path, check_ids):
    tag = "cp27-cp27m-macosx_10_6_intel.macosx_10_9_intel"
    assert check_ids(make_wheel(tmp_path, tag=tag)) == set()
    assert check_ids(make_wheel(tmp_path, tag=tag, wheel={"Tag": tag})) == set()


def test_ignores_malformed_tag_lines(tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, wheel={"Tag": "py3"})) == {"wheel-tags"}


@pytest.mark.parametrize("build", ["1", "123", "1abc"])
def test_build_tags_in_wheel_and_filename_must_match(build, tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, build=build)) == set()
    assert check_ids(make_wheel(tmp_path, build=build, wheel={"Build": None})) == {"wheel-build"}
