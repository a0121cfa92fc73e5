"""How two releases of a project differ."""

from hashlib import shake_256

import pytest
from tests.unit.environments.published import published_releases

import wheelrelay
from wheelrelay.comparison import ComparedRelease, ReleaseComparison, ReleaseMetadata, comparison_document
from wheelrelay.errors import ConfigError, NothingMatched
from wheelrelay.testing import make_sdist, make_wheel


@pytest.fixture
def compared(tmp_path):
    """A function that compares two releases with one wheel each."""

    def compare(before, after, **files):
        make_wheel(tmp_path, "sample", "1.0", **before)
        make_wheel(tmp_path, "sample", "1.1", **after)
        return wheelrelay.compare(str(tmp_path), "sample==1.0", "sample==1.1")

    return compare


def test_equal_releases_have_no_differences(compared):
    comparison = compared({}, {})

    assert not any((*comparison.dependencies, *comparison.extras, *comparison.entry_points))
    assert not comparison.coverage.changes


def test_compares_metadata(compared):
    comparison = compared(
        {"metadata": {"Requires-Dist": "numpy >=1.0", "Provides-Extra": "Test", "License": "BSD\nand more"}},
        {"metadata": {"Requires-Dist": "NumPy>=2.0", "Provides-Extra": "docs", "Requires-Python": ">=3.12"}},
    )

    assert comparison.dependencies == (("numpy>=1.0",), ("numpy>=2.0",))
    assert comparison.extras == (("test",), ("docs",))
    assert comparison.before.metadata.license == "BSD"
    assert comparison.after.metadata.requires_python == ">=3.12"


def test_another_spelling_is_no_difference(compared):
    comparison = compared(
        {"metadata": {"Requires-Dist": "Foo_Bar (>=1.0) ; python_version<'3.12'"}},
        {"metadata": {"Requires-Dist": 'foo-bar>=1.0; python_version < "3.12"'}},
    )

    assert comparison.dependencies == ((), ())


def test_compares_entry_points(compared):
    def scripts(version, text):
        return {"files": {f"sample-{version}.dist-info/entry_points.txt": text.encode()}}

    comparison = compared(
        scripts("1.0", "[console_scripts]\nRun = sample:main\nold = sample:old\n"),
        scripts("1.1", "[console_scripts]\nRun = sample:main\nnew = sample:new\n"),
    )

    assert comparison.entry_points == (
        ("[console_scripts] old = sample:old",),
        ("[console_scripts] new = sample:new",),
    )


def test_an_sdist_has_no_known_entry_points(tmp_path):
    make_wheel(tmp_path, "sample", "1.0", files={"sample-1.0.dist-info/entry_points.txt": b"[a]\nb = c\n"})
    make_sdist(tmp_path, "sample", "1.1")

    comparison = wheelrelay.compare(str(tmp_path), "sample==1.0", "sample==1.1")
    assert comparison.entry_points == ((), ())
    assert comparison.after.metadata.filename == "sample-1.1.tar.gz"


def test_reads_wheels_with_the_same_tags(tmp_path):
    for version, tags in (
        ("1.0", ("py2-none-any", "py3-none-any")),
        ("1.1", ("cp313-cp313-any", "py3-none-any")),
    ):
        for tag in tags:
            make_wheel(tmp_path, "sample", version, tag=tag)

    comparison = wheelrelay.compare(str(tmp_path), "sample==1.0", "sample==1.1")
    assert comparison.before.metadata.filename == "sample-1.0-py3-none-any.whl"
    assert comparison.after.metadata.filename == "sample-1.1-py3-none-any.whl"


def test_the_newest_version_that_matches_is_compared(tmp_path):
    for version in ("1.0", "1.1", "2.0"):
        make_wheel(tmp_path, "sample", version)

    comparison = wheelrelay.compare(str(tmp_path), "sample<2", "sample")
    assert (str(comparison.before.version), str(comparison.after.version)) == ("1.1", "2.0")


def test_two_projects_cannot_be_compared(tmp_path):
    with pytest.raises(ConfigError, match="two projects: numpy and scipy"):
        wheelrelay.compare(str(tmp_path), "numpy==1.0", "scipy==1.0")


def test_an_unknown_version_is_reported_with_those_that_exist(tmp_path):
    make_wheel(tmp_path, "sample", "1.0")

    with pytest.raises(NothingMatched) as caught:
        wheelrelay.compare(str(tmp_path), "sample==1.0", "sample==1.1")
    assert "1.0" in caught.value.hint


def test_sizes_are_compared_by_tags_and_then_by_environment(compared):
    comparison = compared(
        {"tag": "cp313-cp313-manylinux_2_17_x86_64"},
        {"tag": "cp313-cp313-manylinux_2_28_x86_64", "payload": shake_256().digest(10_000)},
    )

    (pair,) = comparison.sizes
    assert pair.factor > 2


def test_the_document_lists_each_environment():
    before, after = published_releases("scipy")[-3:-1]
    document = comparison_document(
        ReleaseComparison(
            ComparedRelease(before), ComparedRelease(after, ReleaseMetadata("scipy.whl", license="BSD"))
        )
    )

    assert document["after"]["license"] == "BSD"
    raised = [entry for entry in document["environments"] if entry["change"] == "raised"]
    assert raised[0] == {
        "python": "cp312",
        "abi": "cp312",
        "platform": "macOS x86_64",
        "change": "raised",
        "before": "macOS 10.14",
        "after": "macOS 10.15",
    }
    lost = [entry for entry in document["environments"] if entry["change"] == "lost"]
    assert {(entry["abi"], entry["before"], entry["after"]) for entry in lost} >= {
        ("cp313t", "wheel", "sdist")
    }
