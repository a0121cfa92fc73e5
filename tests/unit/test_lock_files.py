"""Lock files as uv and pip write them, and those that no mirror can serve."""

import subprocess
import sys

import pytest
from packaging.version import Version
from tests.servers.process import script

from wheelrelay.errors import ConfigError
from wheelrelay.filenames import dist_file
from wheelrelay.lock_files import read_lock, read_requirements
from wheelrelay.model import Digests
from wheelrelay.redaction import redact
from wheelrelay.testing.samples import make_sdist, make_wheel

HASHES = f'{{ sha256 = "{64 * "a"}" }}'

SDIST = '{ name = "sample-1.0.tar.gz", url = "https://e.org/x", hashes = { sha256 = "%s" } }'

PROJECT = """\
[project]
name = "application"
version = "0"
requires-python = ">=3.9"
dependencies = ["sample", "windows-only; sys_platform == 'win32'"]

[dependency-groups]
docs = ["sample-docs"]
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""


@pytest.fixture
def application(pypi, tmp_path, monkeypatch):
    """A project whose dependencies are on an index, and whose lock files uv and pip write."""
    folder = tmp_path / "wheels"
    paths = [
        make_wheel(folder, "sample", "1.0", "cp312-cp312-win_amd64"),
        make_wheel(folder, "sample", "1.0", "cp312-cp312-manylinux_2_28_x86_64"),
        make_sdist(folder, "sample", "1.0"),
        make_wheel(folder, "windows-only", "2.0"),
        make_wheel(folder, "sample-docs", "3.0"),
    ]
    for path in paths:
        pypi.take(path)
    home = tmp_path / "application"
    home.mkdir()
    (home / "pyproject.toml").write_text(PROJECT)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"{pypi.url}simple/")
    return home


def run(home, *command):
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def names(lock):
    return {str(release): sorted(release.files) for release in lock.releases}


ALL = {
    "sample==1.0": [
        "sample-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
        "sample-1.0-cp312-cp312-win_amd64.whl",
        "sample-1.0.tar.gz",
    ],
    "sample-docs==3.0": ["sample_docs-3.0-py3-none-any.whl"],
    "windows-only==2.0": ["windows_only-2.0-py3-none-any.whl"],
}


class TestWrittenByTools:
    def test_reads_uv_lock_with_files_of_all_platforms_and_groups(self, application, pypi, monkeypatch):
        run(application, script("uv"), "lock")
        monkeypatch.setenv("PATH", script("uv").rpartition("/")[0])
        monkeypatch.delenv("UV_DEFAULT_INDEX")
        lock = read_lock(application / "uv.lock")
        assert names(lock) == ALL
        assert lock.skipped == {"application": "it is a local directory"}
        digests = {name: digest for release in lock.releases for name, digest in release.files.items()}
        assert digests == pypi.digests()

    def test_reads_pylock_that_uv_exports(self, application):
        run(application, script("uv"), "lock")
        exported = run(application, script("uv"), "export", "--format", "pylock.toml", "--all-groups")
        (application / "pylock.docs.toml").write_text(exported)
        assert names(read_lock(application / "pylock.docs.toml")) == ALL

    def test_reads_pylock_that_pip_writes(self, application, pypi, tmp_path):
        make = [sys.executable, "-m", "pip", "lock", "--isolated", "--index-url", f"{pypi.url}simple/"]
        run(application, *make, "--only-binary", ":all:", "sample-docs", "--output", "pylock.toml")
        lock = read_lock(application / "pylock.toml")
        assert names(lock) == {"sample-docs==3.0": ["sample_docs-3.0-py3-none-any.whl"]}

    def test_reads_requirements_with_hashes_that_uv_compiles(self, application, pypi):
        command = ("pip", "compile", "--universal", "--generate-hashes", "pyproject.toml")
        run(application, script("uv"), *command, "--group", "docs", "--output-file", "requirements.txt")
        lock = read_lock(application / "requirements.txt")
        assert [str(release) for release in lock.releases] == [
            "sample==1.0",
            "sample-docs==3.0",
            "windows-only==2.0",
        ]
        assert {digest for release in lock.releases for digest in release.digests} == set(
            pypi.digests().values()
        )

    def test_uv_lock_without_uv_names_the_command_to_run(self, application, monkeypatch):
        run(application, script("uv"), "lock")
        monkeypatch.setenv("PATH", "")
        with pytest.raises(ConfigError, match="uv, which is not installed") as caught:
            read_lock(application / "uv.lock")
        assert "uv export --format pylock.toml" in caught.value.hint

    def test_uv_lock_that_uv_refuses_shows_the_words_of_uv(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", script("uv").rpartition("/")[0])
        (tmp_path / "uv.lock").write_text("version = 99")
        (tmp_path / "pyproject.toml").write_text(PROJECT)
        with pytest.raises(ConfigError, match=r"uv cannot export .*99"):
            read_lock(tmp_path / "uv.lock")


class TestAccepts:
    def test_by_name_where_the_lock_names_files(self, tmp_path):
        (tmp_path / "pylock.toml").write_text(
            'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "sample"\nversion = "1.0"\n'
            '[[packages.wheels]]\nname = "sample-1.0-py3-none-any.whl"\nurl = "https://e.org/x"\n'
            f'hashes = {{ sha256 = "{64 * "a"}" }}\n'
        )
        [release] = read_lock(tmp_path / "pylock.toml").releases
        assert release.accepts(dist_file("sample-1.0-py3-none-any.whl"))
        assert not release.accepts(dist_file("sample-1.0.tar.gz"))
        assert not release.accepts(dist_file("sample-1.1-py3-none-any.whl"))

    def test_by_digest_where_the_lock_names_none(self, tmp_path):
        (tmp_path / "requirements.txt").write_text(f"sample==1.0 --hash=sha256:{64 * 'a'}\n")
        [release] = read_lock(tmp_path / "requirements.txt").releases
        assert release.accepts(dist_file("sample-1.0.tar.gz", digests=Digests(sha256=64 * "a")))
        assert not release.accepts(dist_file("sample-1.0.tar.gz", digests=Digests(sha256=64 * "b")))
        assert release.accepts(dist_file("sample-1.0.tar.gz"))


class TestRequirements:
    def test_joins_lines_ignores_comments_and_follows_includes(self, tmp_path):
        (tmp_path / "more.txt").write_text(f"other===2.0 --hash=sha256:{64 * 'b'}  # a comment\n")
        (tmp_path / "requirements.txt").write_text(
            "--index-url https://e.org/simple\n# a comment\n-r more.txt\n-e .\n"
            f"Sample==1.0 ; python_version < '3' \\\n    --hash=sha256:{64 * 'A'} \\\n"
            f"    --hash=sha256:{64 * 'c'}\n    # via nothing\n"
        )
        lock = read_lock(tmp_path / "requirements.txt")
        found = {str(release): release.digests for release in lock.releases}
        assert found == {"other==2.0": {64 * "b"}, "sample==1.0": {64 * "a", 64 * "c"}}
        assert lock.skipped == {".": "it is a local directory"}

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("sample==1.0", "no sha256 hash"),
            ("sample>=1.0 --hash=sha256:aa", "does not pin one version"),
            ("sample==1.* --hash=sha256:aa", "does not pin one version"),
            ("sample @ https://e.org/sample-1.0.tar.gz --hash=sha256:aa", "direct URL"),
            ("sample==1.0 --hash=md5:aa", "no sha256 hash"),
            ("!", "not a requirement"),
            ("-r requirements.txt", "circle"),
        ],
    )
    def test_refuses_what_no_mirror_can_enforce(self, tmp_path, line, message):
        (tmp_path / "requirements.txt").write_text(f"\n{line}\n")
        with pytest.raises(ConfigError, match=f"line 2.*{message}"):
            read_lock(tmp_path / "requirements.txt")


class TestPlainRequirements:
    def test_ignores_markers_extras_options_and_local_directories(self, tmp_path):
        (tmp_path / "requirements.txt").write_text(
            "--index-url https://e.org/simple\n-e .\nsample[extra]>=1.0 ; python_version < '3'\n"
            "sample==2.0  # a comment\n./wheels/other.whl\n"
        )
        found = read_requirements(tmp_path / "requirements.txt")
        assert list(map(str, found)) == ["sample>=1.0", "sample==2.0"]

    def test_one_hash_makes_it_a_lock(self, tmp_path):
        (tmp_path / "requirements.txt").write_text(f"sample==1.0 --hash=sha256:{64 * 'a'}\n")
        [release] = read_requirements(tmp_path / "requirements.txt").releases
        assert str(release) == "sample==1.0"
        (tmp_path / "requirements.txt").write_text(f"sample==1.0 --hash=sha256:{64 * 'a'}\nother==1.0\n")
        with pytest.raises(ConfigError, match="no sha256 hash"):
            read_requirements(tmp_path / "requirements.txt")

    @pytest.mark.parametrize(
        ("line", "message"),
        [("-c constraints.txt", "constraints"), ("sample @ https://e.org/sample-1.0.tar.gz", "direct URL")],
    )
    def test_refuses_lines_that_change_the_selection(self, tmp_path, line, message):
        (tmp_path / "requirements.txt").write_text(f"\n{line}\n")
        with pytest.raises(ConfigError, match=f"line 2.*{message}"):
            read_requirements(tmp_path / "requirements.txt")


class TestPylock:
    @pytest.mark.parametrize(
        ("package", "message"),
        [
            ('vcs = { type = "git", url = "https://e.org/x.git", commit-id = "1f2e" }', "version control"),
            (
                f'archive = {{ url = "https://e.org/x.zip", hashes = {{ sha256 = "{64 * "a"}" }} }}',
                "direct URL",
            ),
            (
                'sdist = { name = "sample-1.0.tar.gz", url = "https://e.org/x", hashes = { md5 = "aa" } }',
                "no sha256",
            ),
            (f"sdist = {SDIST % 'aa'}", "'aa' is not a sha256"),
            (
                f"sdist = {SDIST % (64 * 'a')}\n[[packages]]\nname = 'sample'\nsdist = {SDIST % (64 * 'b')}",
                "two different sha256 for sample-1.0.tar.gz",
            ),
        ],
    )
    def test_refuses_packages_that_no_index_proves(self, tmp_path, package, message):
        text = f'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "sample"\n{package}\n'
        (tmp_path / "pylock.toml").write_text(text)
        with pytest.raises(ConfigError, match=message):
            read_lock(tmp_path / "pylock.toml")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[", "not TOML"),
            ("a = " + 5000 * "[", "nested too deeply"),
            ("", "PEP 751"),
            ('lock-version = "9.0"', "PEP 751"),
        ],
    )
    def test_refuses_other_documents(self, tmp_path, text, message):
        (tmp_path / "pylock.toml").write_text(text)
        with pytest.raises(ConfigError, match=message):
            read_lock(tmp_path / "pylock.toml")

    def test_takes_the_version_from_filenames_where_the_package_has_none(self, tmp_path):
        (tmp_path / "pylock.toml").write_text(
            'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "sample"\nindex = "https://e.org/simple"\n'
            f'sdist = {{ url = "https://e.org/sample-1.0.tar.gz", hashes = {{ sha256 = "{64 * "a"}" }} }}\n'
        )
        [release] = read_lock(tmp_path / "pylock.toml").releases
        assert release.version == Version("1.0")
        assert release.index == "https://e.org/simple"


@pytest.mark.parametrize(
    ("name", "content", "message"), [("a.txt", None, "cannot be read"), ("a.txt", b"\xff", "UTF-8")]
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_lock(tmp_path / name)


@pytest.mark.parametrize("line", ["git+https://ci:hunter2@e.org/x.git", "x @ https://ci:hunter2@e.org/x.whl"])
def test_password_in_an_address_is_not_shown(tmp_path, line):
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"{line} --hash=sha256:{64 * 'a'}\n")
    with pytest.raises(
        ConfigError, match=r"line 1: .* is a direct URL, which a mirror cannot provide"
    ) as caught:
        read_lock(lock)
    assert "hunter2" not in redact(str(caught.value))


def test_password_of_a_locked_index_is_not_shown(tmp_path):
    (tmp_path / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "sample"\n'
        f'index = "https://ci:hunter3@e.org/simple"\nsdist = {SDIST % (64 * "a")}\n'
    )
    lock = read_lock(tmp_path / "pylock.toml")
    assert "hunter3" not in redact(f"It was locked from {lock.releases[0].index}.")


def test_requirements_with_a_short_hash_are_refused_and_a_byte_order_mark_is_ignored(tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"\ufeffsample==1.0 --hash=sha256:{64 * 'a'}\n", encoding="utf-8")
    assert read_lock(lock).projects() == ("sample",)
    lock.write_text("sample==1.0 --hash=sha256:abcd\n")
    with pytest.raises(ConfigError, match="'abcd' is not a sha256"):
        read_lock(lock)
