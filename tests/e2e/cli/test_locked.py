"""``plan``, ``relay`` and ``verify`` with lock files, requirements files and local versions."""

import hashlib
import json

import pytest

from wheelrelay.testing import make_sdist, make_wheel

LINUX, WINDOWS = "foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl", "foo-1.0-cp312-cp312-win_amd64.whl"


@pytest.fixture
def upstream(tmp_path):
    folder = tmp_path / "upstream"
    for version, tag in (
        ("1.0", "cp312-cp312-manylinux_2_28_x86_64"),
        ("1.0", "cp312-cp312-win_amd64"),
        ("2.0", "py3-none-any"),
        ("1.0+cu129", "py3-none-any"),
        ("1.0+cpu", "py3-none-any"),
    ):
        make_wheel(folder, "foo", version, tag)
    make_sdist(folder, "foo", "1.0")
    make_wheel(folder, "bar", "1.0")
    return folder


@pytest.fixture
def mirror(tmp_path):
    return tmp_path / "mirror"


@pytest.fixture
def locked(tmp_path, upstream):
    """Write a requirements file with the hashes of some files; return its path."""

    def write(*names, more=()):
        digests = [*(hashlib.sha256((upstream / name).read_bytes()).hexdigest() for name in names), *more]
        hashes = " ".join(f"--hash=sha256:{digest}" for digest in digests)
        path = tmp_path / "requirements.txt"
        path.write_text(f"foo==1.0 {hashes}\n")
        return path

    return write


def names(folder):
    return sorted(path.name for path in folder.glob("*-*")) if folder.exists() else []


def test_relay_takes_exactly_the_locked_files(wheelrelay, upstream, mirror, locked):
    route = ("--from", upstream, "--to", mirror, "--lock", locked(LINUX, WINDOWS))
    document = json.loads(wheelrelay("plan", *route, "--json").out)
    assert [file["filename"] for file in document["files"]] == [LINUX, WINDOWS]
    assert wheelrelay("relay", *route, "--yes").code == 0
    assert names(mirror) == [LINUX, WINDOWS]


def test_missing_locked_file_exits_with_4_in_mirrors_and_3_in_releases(wheelrelay, upstream, mirror, locked):
    route = ("--from", upstream, "--to", mirror, "--lock", locked(LINUX, more=[64 * "a"]))
    assert wheelrelay("plan", *route).code == 3
    ended = wheelrelay("relay", *route, "--yes")
    assert (ended.code, names(mirror)) == (3, [])
    assert "[lock-missing]" in ended.err
    ended = wheelrelay("relay", *route, "--mode", "mirror", "--yes")
    assert (ended.code, names(mirror)) == (4, [LINUX])
    assert "The source lacks 1 of 2 locked files of foo==1.0" in ended.err


def test_verify_compares_a_remote_with_a_lock(wheelrelay, upstream, mirror, locked):
    make_sdist(mirror, "foo", "1.0")
    lock = locked(LINUX, "foo-1.0.tar.gz")
    assert wheelrelay("verify", upstream, "--lock", lock).code == 0
    ended = wheelrelay("verify", mirror, "--lock", lock, "--json")
    assert ended.code == 3
    assert [finding["check"] for finding in json.loads(ended.out)] == ["lock-missing"]
    assert wheelrelay("verify", mirror, "--lock", lock, "--sdist-only").code == 0


def test_requirements_without_hashes_are_a_list_of_projects(wheelrelay, upstream, mirror, tmp_path):
    (tmp_path / "plain.txt").write_text("bar ; python_version < '3'\nfoo==2.0\n")
    ended = wheelrelay(
        "relay", "--from", upstream, "--to", mirror, "--requirements", tmp_path / "plain.txt", "--yes"
    )
    assert ended.code == 0
    assert names(mirror) == ["bar-1.0-py3-none-any.whl", "foo-2.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    ("local", "taken"),
    [("cu129", ["foo-1.0+cu129-py3-none-any.whl"]), ("", [LINUX, WINDOWS, "foo-1.0.tar.gz"])],
)
def test_local_selects_files_of_one_local_version(wheelrelay, upstream, mirror, local, taken):
    route = ("--from", upstream, "--to", mirror, "foo==1.0", "--local", local)
    assert wheelrelay("relay", *route, "--yes").code == 0
    assert names(mirror) == taken


def test_lock_that_cannot_be_read_exits_with_2(wheelrelay, upstream, mirror, tmp_path):
    ended = wheelrelay("plan", "--from", upstream, "--to", mirror, "--lock", tmp_path / "pylock.toml")
    assert ended.code == 2
    assert "pylock.toml cannot be read" in ended.err
