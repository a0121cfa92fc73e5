"""Selection by lock: exactly the locked files, with the digests of the lock."""

import pickle

import pytest
from packaging.version import Version

from wheelrelay.errors import DigestMismatch, NothingMatched, SeveralVersions
from wheelrelay.filenames import dist_file
from wheelrelay.lock_files import Lock, LockedRelease
from wheelrelay.lock_matching import split_differing, verify_locked
from wheelrelay.model import Digests, Shard
from wheelrelay.select import Selection, parse_requirement
from wheelrelay.source_files import select_from, select_listed
from wheelrelay.tags import TagPattern

A, B, C = 64 * "a", 64 * "b", 64 * "c"
LINUX, WINDOWS, SDIST = (
    "foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
    "foo-1.0-cp312-cp312-win_amd64.whl",
    "foo-1.0.tar.gz",
)
INDEX = "https://packages.example.org/simple"


class Listed:
    """A source that lists fixed files."""

    def __init__(self, **digests):
        self._files = [
            dist_file(name, digests=Digests(sha256=digest), yanked=None) for name, digest in digests.items()
        ]

    def iter_files(self, project):
        return iter([file for file in self._files if project in (None, file.project)])

    def open(self, file):
        raise NotImplementedError


def named(files, project="foo", version="1.0", index=None):
    """Return a lock that names files, as pylock.toml does."""
    return Lock((LockedRelease(project, Version(version), files, index=index),))


def hashed(*digests, project="foo", version="1.0"):
    """Return a lock of digests only, as requirements with hashes are."""
    return Lock((LockedRelease(project, Version(version), digests=frozenset(digests)),))


def select(source, lock, *requirements, one_version=False, **narrower):
    """Return the digests of the selected files by name, and the findings."""
    selection = Selection(tuple(map(parse_requirement, requirements)), lock=lock, **narrower)
    selected = select_from(source, selection, one_version=one_version)
    return {file.filename: file.sha256 for file in selected.files}, [
        (finding.check, finding.filename) for finding in selected.findings
    ]


class TestNamedFiles:
    def test_takes_exactly_the_locked_files_of_all_platforms(self):
        source = Listed(**{LINUX: A, WINDOWS: B, SDIST: C, "foo-1.1.tar.gz": C, "bar-1.0.tar.gz": C})
        assert select(source, named({LINUX: A, WINDOWS: B})) == ({LINUX: A, WINDOWS: B}, [])

    def test_gives_files_without_digest_the_locked_one(self):
        assert select(Listed(**{LINUX: None}), named({LINUX: A})) == ({LINUX: A}, [])

    def test_takes_yanked_files_and_pre_releases(self):
        class Yanked(Listed):
            def iter_files(self, project):
                yield dist_file("foo-2.0rc1.tar.gz", digests=Digests(sha256=A), yanked="bad")
                yield dist_file("foo-1.0.tar.gz", digests=Digests(sha256=A))

        lock = named({"foo-2.0rc1.tar.gz": A}, version="2.0rc1")
        assert select(Yanked(), lock, "foo") == ({"foo-2.0rc1.tar.gz": A}, [])

    def test_reports_each_missing_file_with_its_index(self):
        lock = named({LINUX: A, WINDOWS: B}, index=INDEX)
        selected = select_from(Listed(**{LINUX: A}), Selection(lock=lock), one_version=True)
        [finding] = selected.findings
        assert (finding.check, finding.filename) == ("lock-missing", WINDOWS)
        assert INDEX in finding.hint

    def test_reports_missing_files_if_the_source_has_none(self):
        assert select(Listed(), named({LINUX: A})) == ({}, [("lock-missing", LINUX)])

    def test_reports_files_whose_names_no_source_lists(self):
        lock = named({LINUX: A, "foo-1.0.egg": B})
        assert select(Listed(**{LINUX: A}), lock) == ({LINUX: A}, [("lock-missing", "foo-1.0.egg")])

    def test_does_not_miss_files_that_patterns_leave_out(self):
        lock = named({LINUX: A, WINDOWS: B, SDIST: C})
        narrower = {"wheels": tuple(TagPattern.parse("cp312-*-manylinux*")), "sdist": False}
        assert select(Listed(**{LINUX: A}), lock, **narrower) == ({LINUX: A}, [])
        assert select(Listed(**{WINDOWS: B, SDIST: C}), lock, **narrower)[1] == [("lock-missing", LINUX)]

    def test_does_not_miss_projects_that_requirements_leave_out(self):
        lock = named({LINUX: A}) + named({"bar-1.0.tar.gz": B}, project="bar")
        assert select(Listed(**{LINUX: A}), lock, "foo==1.0") == ({LINUX: A}, [])
        assert select(Listed(**{LINUX: A}), lock)[1] == [("lock-missing", "bar-1.0.tar.gz")]

    def test_nothing_selected_and_nothing_missing_is_an_error(self):
        with pytest.raises(NothingMatched, match="No file matches the lock"):
            select(Listed(**{LINUX: A}), named({LINUX: A}), wheels=())


class TestDigestsOnly:
    def test_takes_files_by_their_digest(self):
        source = Listed(**{LINUX: A, WINDOWS: B, SDIST: C})
        assert select(source, hashed(A, C)) == ({LINUX: A, SDIST: C}, [])

    def test_takes_files_without_digest_to_verify_them_later(self):
        assert select(Listed(**{LINUX: None}), hashed(A, C)) == ({LINUX: None}, [])

    def test_reports_digests_that_no_file_has(self):
        selection = Selection(lock=hashed(A, B, C))
        [finding] = select_from(Listed(**{LINUX: A}), selection, one_version=True).findings
        assert finding.message == (
            f"The source lacks 2 of 3 locked files of foo==1.0: sha256 {B[:12]}..., {C[:12]}...."
        )

    def test_reports_releases_without_files(self):
        assert select(Listed(**{"foo-2.0.tar.gz": A}), hashed(A)) == ({}, [("lock-missing", None)])

    def test_patterns_require_one_file_with_a_locked_digest(self):
        linux = {"wheels": tuple(TagPattern.parse("cp312-*-manylinux*"))}
        assert select(Listed(**{LINUX: A, WINDOWS: C}), hashed(A, B), **linux) == ({LINUX: A}, [])
        assert select(Listed(**{LINUX: C}), hashed(A, B), **linux) == ({}, [("lock-missing", None)])

    def test_computes_digests_of_local_files_to_find_missing_ones(self):
        class Local(Listed):
            def local_path(self, file):
                raise NotImplementedError

            def inventory(self, project):
                yield dist_file(LINUX, digests=Digests(sha256=A))

        assert select(Local(**{LINUX: None}), hashed(A, B)) == ({LINUX: A}, [("lock-missing", None)])


class TestSeveralVersions:
    LOCK = named({"foo-1.0.tar.gz": A}) + named({"foo-2.0.tar.gz": B}, version="2.0")

    def test_a_mirror_takes_all_of_them(self):
        source = Listed(**{"foo-1.0.tar.gz": A, "foo-2.0.tar.gz": B, "foo-3.0.tar.gz": C})
        assert select(source, self.LOCK)[0] == {"foo-1.0.tar.gz": A, "foo-2.0.tar.gz": B}

    def test_a_release_refuses_them(self):
        with pytest.raises(SeveralVersions):
            select(Listed(**{"foo-1.0.tar.gz": A, "foo-2.0.tar.gz": B}), self.LOCK, one_version=True)

    def test_locks_of_two_platforms_are_joined(self):
        lock = named({LINUX: A}) + named({WINDOWS: B})
        assert select(Listed(**{LINUX: A, WINDOWS: B}), lock) == ({LINUX: A, WINDOWS: B}, [])


class TestDigestsDiffer:
    def test_reports_both_digests_and_drops_the_file(self):
        files = [dist_file(LINUX, digests=Digests(sha256=B)), dist_file(SDIST, digests=Digests(sha256=C))]
        same, [finding] = split_differing(named({LINUX: A, SDIST: C}, index=INDEX), files)
        assert [file.filename for file in same] == [SDIST]
        assert (finding.check, finding.filename) == ("lock-differs", LINUX)
        assert A in finding.message
        assert B in finding.message
        assert INDEX in finding.hint

    def test_verifies_the_bytes_of_staged_files(self):
        staged = dist_file(LINUX, digests=Digests(sha256=B))
        verify_locked(None, staged)
        verify_locked(hashed(A, B), staged)
        with pytest.raises(DigestMismatch, match=f"the lock has sha256 {A}, {C}, but the bytes have {B}"):
            verify_locked(hashed(A, C), staged)


class TestLocalVersion:
    FILES = tuple(
        dist_file(f"foo-{version}-py3-none-any.whl")
        for version in ("1.0", "1.0+cpu", "1.0+cu129", "2.0+cu129")
    )

    @pytest.mark.parametrize(
        ("local", "requirement", "versions"),
        [
            ("cu129", "foo", ["1.0+cu129", "2.0+cu129"]),
            ("cu129", "foo==1.0", ["1.0+cu129"]),
            ("", "foo", ["1.0"]),
            (None, "foo==1.0+cpu", ["1.0+cpu"]),
        ],
    )
    def test_selects_files_of_that_local_version(self, local, requirement, versions):
        selection = Selection((parse_requirement(requirement),), local=local)
        assert [str(file.version) for file in selection.pick(self.FILES)] == versions

    def test_error_names_the_local_version(self):
        with pytest.raises(NothingMatched, match=r"foo with the local version 'rocm6'") as refused:
            Selection((parse_requirement("foo"),), local="rocm6").pick(self.FILES)
        assert "1.0+cu129" in refused.value.hint

    def test_narrows_a_lock(self):
        lock = named({"foo-1.0+cpu-py3-none-any.whl": A}, version="1.0+cpu") + named({LINUX: B})
        assert select(Listed(**{LINUX: B}), lock, local="") == ({LINUX: B}, [])


def test_a_part_of_the_projects_misses_only_its_own_files():
    lock = named({LINUX: A}) + named({"bar-1.0.tar.gz": B}, project="bar")
    selection = Selection(lock=lock).within(["Foo"])
    selected = select_from(Listed(**{LINUX: A}), selection, one_version=True)
    assert ([file.filename for file in selected.files], selected.findings) == ([LINUX], ())
    [finding] = select_from(
        Listed(**{LINUX: A}), Selection(lock=lock).within(["bar"]), one_version=True
    ).findings
    assert finding.filename == "bar-1.0.tar.gz"


def test_selection_with_lock_survives_pickling():
    selection = Selection(lock=named({LINUX: A}))
    assert selection.lock.accepts(dist_file(LINUX))
    assert pickle.loads(pickle.dumps(selection)) == selection


class TestNarrowedLocks:
    """A lock that is divided by project requires only the files of its part."""

    LOCK = Lock(
        tuple(
            release for name in ("foo", "bar") for release in named({f"{name}-1.0.tar.gz": A}, name).releases
        )
    )

    def test_only_these_projects_are_required(self):
        source = Listed(**{SDIST: A})
        narrowed = Selection(lock=self.LOCK).within(["foo"])
        assert narrowed.projects() == ("foo",)
        selected = select_from(source, narrowed, one_version=False)
        assert [file.filename for file in selected.files] == [SDIST]
        assert selected.findings == ()

    def test_every_missing_file_is_reported_in_exactly_one_shard(self):
        found = []
        for number in (1, 2, 3):
            selection = Selection(lock=self.LOCK, shard=Shard(number, 3))
            if not selection.is_empty:
                found += select_from(Listed(), selection, one_version=False).findings
        assert sorted(finding.filename for finding in found) == ["bar-1.0.tar.gz", SDIST]

    def test_batch_of_files_requires_no_others(self):
        (file,) = Listed(**{SDIST: A}).iter_files("foo")
        batch = Selection(lock=self.LOCK, files=(file,))
        selected = select_listed(batch.files, Listed(), batch, one_version=False)
        assert (selected.files, selected.findings) == ([file], ())
