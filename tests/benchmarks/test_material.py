"""What travels in the benchmarks are true wheels of the sizes that are claimed."""

import zipfile

import pytest

import wheelrelay
from tests.benchmarks.large_wheel import make_large_wheel
from tests.benchmarks.material import make_small_wheels, make_wheels, many_names
from wheelrelay.filenames import dist_file

MB = 1_000_000


@pytest.mark.parametrize("members", [1, 40, 400])
def test_a_large_wheel_passes_all_checks_and_is_half_deflated_half_stored(members, tmp_path):
    path = make_large_wheel(tmp_path, size=4 * MB, members=2 * members)
    assert path.stat().st_size == pytest.approx(4 * MB, rel=0.05)
    assert wheelrelay.check([path]) == []
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        payload = [
            one for one in archive.infolist() if one.filename.startswith("bench/") and one.file_size > 999
        ]
        packed = {0: 0, 8: 0}
        for one in payload:
            packed[one.compress_type] += one.compress_size
        assert len(payload) == 2 * members
        assert packed[0] == pytest.approx(packed[8], rel=0.1)


def test_wheels_of_a_release_pass_all_checks_and_differ(tmp_path):
    for folder, wheels in (
        ("a", make_wheels(tmp_path / "a", count=5, size=MB)),
        ("b", make_small_wheels(tmp_path / "b", count=5, size=1000)),
    ):
        assert len({path.read_bytes() for path in wheels}) == 5
        assert sorted(wheels) == sorted((tmp_path / folder).iterdir())
        assert wheelrelay.check(wheels) == []


def test_many_names_are_names_of_wheels_a_hundred_of_a_project():
    files = [dist_file(name) for name in many_names(300)]
    assert len({file.filename for file in files}) == 300
    assert [len([file for file in files if file.project == f"project{n}"]) for n in range(3)] == [100] * 3
