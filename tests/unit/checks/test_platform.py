"""Platform tags: what PyPI takes, and what it does not."""

import pytest

from wheelrelay.testing.samples import make_wheel

TAKEN = [
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


@pytest.mark.parametrize("platform", TAKEN)
def test_pypi_takes(platform, tmp_path, found):
    assert found(make_wheel(tmp_path, tag=f"py3-none-{platform}")) == set()


@pytest.mark.parametrize("platform", REFUSED)
def test_pypi_refuses(platform, tmp_path, findings):
    (finding,) = findings(make_wheel(tmp_path, tag=f"py3-none-{platform}"))
    assert finding.check == "platform-tag"
    assert platform in finding.message


def test_each_platform_of_a_compressed_set_counts(tmp_path, findings):
    path = make_wheel(tmp_path, tag="cp311-cp311-manylinux_2_17_x86_64.linux_x86_64")
    (finding,) = findings(path)
    assert "linux_x86_64" in finding.message
    assert "manylinux" not in finding.message
