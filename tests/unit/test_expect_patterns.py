"""Patterns that are derived from a release match each of its wheels, and notice the loss of any."""

import pytest

from wheelrelay.expect import Expected, expected_wheels
from wheelrelay.expect_patterns import derived_patterns, newest_release
from wheelrelay.filenames import dist_file

MANYLINUX = "manylinux_2_17_{}.manylinux2014_{}"
CPYTHONS = [f"cp{minor}-cp{minor}" for minor in (310, 311, 312, 313)] + ["cp313-cp313t"]
SCIENTIFIC = [
    f"{python}-{platform}"
    for python in CPYTHONS
    for platform in (
        MANYLINUX.format("x86_64", "x86_64"),
        MANYLINUX.format("aarch64", "aarch64"),
        "musllinux_1_1_x86_64",
        "musllinux_1_2_aarch64",
        "macosx_10_13_x86_64",
        "macosx_14_0_x86_64",
        "macosx_11_0_arm64",
        "macosx_14_0_arm64",
        "win32",
        "win_amd64",
    )
]
RELEASES = {
    "scientific": [*SCIENTIFIC, "pp310-pypy310_pp73-macosx_10_15_x86_64", "pp310-pypy310_pp73-win_amd64"],
    "abi3": [
        f"cp{minor}-abi3-{platform}"
        for minor in (37, 311)
        for platform in (
            MANYLINUX.format("x86_64", "x86_64"),
            "manylinux_2_28_x86_64",
            "macosx_10_12_universal2",
        )
    ],
    "abi3 and one Python": ["cp312-abi3-win_amd64", "cp312-cp312-win_amd64", "cp313-cp313-win_amd64"],
    "pure": ["py3-none-any"],
    "pure and binary": ["py2.py3-none-any", "cp312-cp312-win_amd64"],
    "macOS": [f"cp312-cp312-macosx_11_0_{name}" for name in ("arm64", "universal2")],
    "one executable": ["py3-none-win32", "py3-none-linux_armv6l", "py3-none-macosx_11_0_arm64"],
    "phones": ["cp313-cp313-ios_13_0_arm64_iphoneos", "cp313-cp313-android_21_arm64_v8a"],
    "graalpy": [
        "graalpy311-graalpy242_311_native-manylinux_2_28_x86_64",
        "cp311-cp311-manylinux_2_28_x86_64",
    ],
}


def wheels(tags):
    return [dist_file(f"sample-1.0-{tag}.whl") for tag in tags]


@pytest.mark.parametrize("name", RELEASES)
def test_loss_of_any_wheel_is_noticed(name):
    files = wheels(RELEASES[name])
    expected = Expected(wheels=expected_wheels(derived_patterns(files)))
    assert expected.missing_from(files) == []
    assert expected.unexpected_in(files) == []
    assert expected.total() == len(files)
    for lost in files:
        assert len(expected.missing_from([file for file in files if file != lost])) == 1


def test_patterns_are_short():
    assert derived_patterns(wheels(SCIENTIFIC)) == [
        "cp{310,311,312,313}-*-macosx_10_13_x86_64",
        "cp{310,311,312,313}-*-macosx_11_0_arm64",
        "cp{310,311,312,313}-*-macosx_14_0_arm64",
        "cp{310,311,312,313}-*-macosx_14_0_x86_64",
        "cp{310,311,312,313}-*-manylinux*_{aarch64,x86_64}",
        "cp{310,311,312,313}-*-musllinux*_{aarch64,x86_64}",
        "cp{310,311,312,313}-*-win32",
        "cp{310,311,312,313}-*-win_amd64",
        "cp313-cp*t-macosx_10_13_x86_64",
        "cp313-cp*t-macosx_11_0_arm64",
        "cp313-cp*t-macosx_14_0_arm64",
        "cp313-cp*t-macosx_14_0_x86_64",
        "cp313-cp*t-manylinux*_{aarch64,x86_64}",
        "cp313-cp*t-musllinux*_{aarch64,x86_64}",
        "cp313-cp*t-win32",
        "cp313-cp*t-win_amd64",
    ]


def test_later_versions_of_a_platform_meet_the_patterns():
    expected = Expected(wheels=expected_wheels(derived_patterns(wheels(["cp312-cp312-macosx_10_9_x86_64"]))))
    assert expected.missing_from(wheels(["cp312-cp312-macosx_11_0_x86_64"])) == []


def test_newest_final_release_is_used():
    names = ("1.9", "1.10", "2.0rc1")
    files = [dist_file(f"sample-{version}-py3-none-any.whl") for version in names]
    assert str(newest_release(files).version) == "1.10"
    assert str(newest_release(files[2:]).version) == "2.0rc1"
