"""Names are shortened in the middle, so that tags and versions stay."""

import pytest

from wheelrelay.cli.render.names import shortened

WHEEL = "scikit_image_long-0.25.0rc1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (200, WHEEL),
        (80, "scikit_ima…-0.25.0rc1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
        (62, "scikit_image…-0.25.0rc1-cp312-cp312-manylinux_2_17_x86_64….whl"),
        (50, "scikit_ima…-cp312-cp312-manylinux_2_17_x86_64….whl"),
        (43, "sci…-cp312-cp312-manylinux_2_17_x86_64….whl"),
        (20, "scikit…14_x86_64.whl"),
    ],
)
def test_beginning_and_tags_stay(width, expected):
    assert shortened(WHEEL, width) == expected
    assert len(expected) <= width


def test_nothing_is_repeated():
    name = "tornado-6.5.5-cp39-abi3-manylinux1_x86_64.manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
    assert shortened(name, 60) == "tornado-6.5.5-cp39-abi3-manylinux1_x86_64….whl"


def test_build_tag_stays_with_the_tags():
    assert "-2-cp312-cp312-win_amd64.whl" in shortened(f"{'x' * 40}-1.0-2-cp312-cp312-win_amd64.whl", 50)


def test_words_after_the_name_stay():
    assert shortened(f"{'x' * 40}-1.0.tar.gz and 12 more", 40).endswith("…-1.0.tar.gz and 12 more")


@pytest.mark.parametrize("width", range(90))
def test_never_exceeds_the_width(width):
    for ellipsis in ("…", "..."):
        assert len(shortened(WHEEL, width, ellipsis=ellipsis)) <= width
