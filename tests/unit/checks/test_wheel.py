"""The .dist-info folder, WHEEL and entry_points.txt."""

import tracemalloc

import pytest

from wheelrelay.checks import inspect
from wheelrelay.testing.samples import make_wheel

INFO = "sample-1.0.dist-info"


@pytest.mark.parametrize("version", ["1.0", "1.9"])
def test_accepts_later_minor_wheel_versions(version, tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, wheel={"Wheel-Version": version})) == set()


@pytest.mark.parametrize("name", ["METADATA", "WHEEL", "RECORD"])
def test_requires_each_file_of_dist_info(name, tmp_path, findings):
    reported = findings(make_wheel(tmp_path, unrecorded={f"{INFO}/{name}": None}))
    assert [name in finding.message for finding in reported if finding.check == "wheel-dist-info"] == [True]


def test_dist_info_of_another_project_does_not_count(tmp_path, check_ids):
    members = {f"other-1.0.dist-info/{name}": b"" for name in ("METADATA", "WHEEL", "RECORD")}
    own = {f"{INFO}/{name}": None for name in ("METADATA", "WHEEL")}
    path = make_wheel(tmp_path, files={**members, **own}, unrecorded={f"{INFO}/RECORD": None})
    assert check_ids(path) == {"wheel-dist-info"}


def test_accepts_vendored_dist_info(tmp_path, check_ids):
    vendored = {"sample/_vendor/other-2.0.dist-info/METADATA": b"Name: other\n"}
    assert check_ids(make_wheel(tmp_path, files=vendored)) == set()


def test_reports_metadata_of_a_second_distribution(tmp_path, check_ids):
    second = {"other-2.0.dist-info/METADATA": b"Name: other\n"}
    assert check_ids(make_wheel(tmp_path, files=second)) == {"wheel-one-dist-info"}


def test_accepts_sboms(tmp_path, check_ids):
    """SBOMs are arbitrary files in the folder sboms (PEP 770)."""
    sboms = {f"{INFO}/sboms/sample.cdx.json": b"{}", f"{INFO}/sboms/more/any": b"\xff"}
    assert check_ids(make_wheel(tmp_path, files=sboms)) == set()


@pytest.mark.parametrize(
    "text",
    [
        "[console_scripts]\nrun = a.b:c.d\n",
        "[console_scripts]\nrun = a.b:c [extra]\n[gui_scripts]\nRun-it.2 = a\n",
        "[my.plugins]\nname with spaces = anything at all\n",
        "# nothing\n",
        "",
    ],
)
def test_accepts_valid_entry_points(text, tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, files={f"{INFO}/entry_points.txt": text.encode()})) == set()


@pytest.mark.parametrize(
    "text",
    [
        "run = a:b\n",
        "[console_scripts]\n../run = a:b\n",
        "[console_scripts]\nrun = a:b\nrun = a:c\n",
        "[console_scripts]\nrun = a b c\n",
        "[console_scripts]\nrun = a:b:c\n",
        "[gui_scripts]\nrun\n",
        "[console_scripts\nrun = a:b\n",
        "\xff",
    ],
)
def test_reports_invalid_entry_points(text, tmp_path, check_ids):
    path = make_wheel(tmp_path, files={f"{INFO}/entry_points.txt": text.encode("latin-1")})
    assert check_ids(path) == {"entry-points"}


def test_memory_does_not_grow_with_member_size(tmp_path):
    path = make_wheel(tmp_path, payload=bytes(48 << 20))
    tracemalloc.start()
    try:
        inspect(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
