"""Old versions and builds go; the newest stay, and so does what is not known to be old."""

from datetime import UTC, datetime, timedelta

from wheelrelay.containers.retention import outdated
from wheelrelay.filenames import dist_file

NOW = datetime(2026, 11, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def file(name, days=None):
    return dist_file(name, upload_time=None if days is None else NOW - timedelta(days=days))


def nightly(day, days=None, tag="py3-none-any"):
    return file(f"sample-2.0.dev{day}-{tag}.whl", days)


def gone(files, keep=1, max_age=None):
    return [file.filename for file in outdated(files, keep=keep, max_age=max_age, now=NOW)]


def test_selects_all_but_the_newest_versions():
    files = [nightly(day) for day in (9, 10, 11, 8)]
    assert gone(files, keep=2) == [nightly(8).filename, nightly(9).filename]


def test_compares_versions_not_texts():
    files = [file(f"sample-{version}-py3-none-any.whl") for version in ("1.9", "1.10", "1.10rc1", "1!0.1")]
    assert gone(files, keep=2) == ["sample-1.10rc1-py3-none-any.whl", "sample-1.9-py3-none-any.whl"]


def test_selects_complete_versions():
    files = [
        nightly(day, tag=tag) for day in (1, 2) for tag in ("cp312-cp312-win32", "cp313-cp313-win32")
    ] + [file("sample-2.0.dev1.tar.gz"), file("sample-2.0.dev2.tar.gz")]
    assert len(gone(files)) == 3
    assert all("dev1" in name for name in gone(files))


def test_counts_versions_per_project():
    files = [nightly(1), file("other-0.1-py3-none-any.whl"), file("Other-0.2.tar.gz")]
    assert gone(files) == ["other-0.1-py3-none-any.whl"]


def test_age_never_reduces_below_keep():
    files = [nightly(1, 30), nightly(2, 20), nightly(3, 5), nightly(4, 4)]
    assert gone(files, keep=1, max_age=WEEK) == [nightly(1).filename, nightly(2).filename]
    assert gone(files, keep=3, max_age=WEEK) == [nightly(1).filename]
    assert gone(files[:2], keep=2, max_age=WEEK) == []


def test_young_file_keeps_its_version():
    files = [nightly(1, 30), nightly(1, 3, tag="cp312-cp312-win32"), nightly(2, 1)]
    assert gone(files, max_age=WEEK) == []


def test_unknown_age_is_not_old():
    files = [nightly(1), nightly(2)]
    assert gone(files, max_age=WEEK) == []
    assert gone(files) == [nightly(1).filename]


def test_keeps_the_newest_builds_of_the_same_tags():
    names = ["sample-1.0-py3-none-any.whl", "sample-1.0-2-py3-none-any.whl", "sample-1.0-10-py3-none-any.whl"]
    mac = "sample-1.0-1-cp312-cp312-macosx_11_0_arm64.whl"
    files = [file(name, 30) for name in [*names, mac, "sample-1.0.tar.gz"]]
    assert gone(files, keep=1) == sorted(names[:2])
    assert gone(files, keep=2, max_age=WEEK) == names[:1]
    assert gone([file(name, 1) for name in names], max_age=WEEK) == []


def test_selects_nothing_of_nothing():
    assert gone([]) == []


def test_local_versions_count_as_one_version():
    files = [
        nightly(f"{day}+{variant}", tag=tag)
        for day in (1, 2, 3)
        for variant in ("cpu", "cu126", "rocm6.3")
        for tag in ("cp312-cp312-win32", "cp313-cp313-win32")
    ] + [nightly(2)]
    went = gone(files, keep=2)
    assert len(went) == 6
    assert all(".dev1+" in name for name in went)


def test_builds_are_counted_per_local_version():
    files = [file(f"sample-1.0+{variant}-1-py3-none-any.whl") for variant in ("cpu", "cu126")]
    assert gone(files, keep=1) == []
    files.append(file("sample-1.0+cpu-2-py3-none-any.whl"))
    assert gone(files, keep=1) == ["sample-1.0+cpu-1-py3-none-any.whl"]


def test_variants_are_not_builds_of_each_other():
    tags = ("cp313-cp313-win_amd64", "cp313-cp313-win_amd64-cu129", "cp313-cp313-win_amd64-cu130")
    assert gone([nightly(1, tag=tag) for tag in tags]) == []
