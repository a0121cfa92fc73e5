"""Sections of ``~/.pypirc`` can be used as remotes."""

import pytest

import wheelrelay
from wheelrelay import Route
from wheelrelay.backends.index import IndexConfig, PyPIConfig, TestPyPIConfig
from wheelrelay.checks import Profile
from wheelrelay.config import Remote, as_remote, load_config, looks_like_remote
from wheelrelay.config.load import Config
from wheelrelay.config.pypirc import kind_of, same_place, sections
from wheelrelay.errors import ConfigError
from wheelrelay.model import Confirm
from wheelrelay.testing import make_wheel

TEXT = """
[distutils]
index-servers =
    my-project
    staging
    warehouse
    nowhere

[my-project]
repository = https://upload.pypi.org/legacy/
username = __token__
password = pypi-of-my-project

[staging]
repository = http://test.pypi.org/legacy/

[warehouse]
repository: https://upload.example.org/legacy/
username: ci
password: hunter2

[nowhere]
username = ci

[unlisted]
repository = https://unlisted.example.org/
"""


@pytest.fixture
def pypirc(home):
    """A file with sections for PyPI, TestPyPI and a private index."""
    path = home / ".pypirc"
    path.write_text(TEXT)
    path.chmod(0o600)
    return path


def test_no_file_has_no_sections():
    assert sections() == {}


def test_section_is_a_remote_with_its_name(pypirc):
    remote = as_remote("warehouse")
    assert remote.name == "warehouse"
    assert remote.config == IndexConfig(upload_url="https://upload.example.org/legacy/")


def test_section_with_the_url_of_pypi_is_pypi(pypirc):
    remote = as_remote("my-project")
    assert remote.config == PyPIConfig()
    assert remote.checks.profile is Profile.PYPI


def test_section_with_the_url_of_testpypi_is_testpypi_over_https(pypirc):
    assert as_remote("staging").config == TestPyPIConfig()


def test_configuration_takes_precedence(pypirc):
    mine = Remote("warehouse", IndexConfig(url="https://example.org/simple/"))
    assert as_remote("warehouse", configured={"warehouse": mine}) is mine


def test_unknown_name_suggests_sections(pypirc):
    with pytest.raises(ConfigError, match="Did you mean: warehouse"):
        as_remote("warehose")


def test_section_without_repository_is_an_error(pypirc):
    with pytest.raises(ConfigError, match=r"~/\.pypirc: \[nowhere\]: repository is missing"):
        as_remote("nowhere")


@pytest.mark.parametrize(
    "address", ["https://ci:hunter2@example.org/", "ftp://example.org/", "http://[", "x:y/"]
)
def test_malformed_repository_is_reported_without_its_value(pypirc, address):
    pypirc.write_text(f"[distutils]\nindex-servers = x\n[x]\nrepository = {address}\n")
    with pytest.raises(ConfigError, match=r"~/\.pypirc: \[x\]\.upload_url: ") as caught:
        as_remote("x")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("listed", ["", "[distutils]\nindex-servers = pypi\n"])
def test_unlisted_section_is_reported(pypirc, listed):
    pypirc.write_text(f"{listed}[company]\nrepository = https://example.org/\npassword = hunter2\n")
    with pytest.raises(ConfigError, match=r"section \[company\] is ignored, because index-servers does not"):
        as_remote("company")
    with pytest.raises(ConfigError, match="There is no remote 'compani'"):
        as_remote("compani")


def test_malformed_file_is_reported_without_its_content(pypirc):
    pypirc.write_text("password = hunter2\n")
    with pytest.raises(ConfigError, match=r"~/\.pypirc cannot be read") as caught:
        as_remote("warehouse")
    assert "hunter2" not in str(caught.value)


def test_addresses_do_not_need_the_file(pypirc):
    pypirc.write_text("password = hunter2\n")
    for text in ("./warehouse", "pypi", "listing+https://example.org/"):
        assert as_remote(text).name == text


def test_repr_hides_passwords(pypirc):
    assert "hunter2" not in repr(sections())


def test_section_name_is_a_remote_only_without_configured_routes(pypirc):
    assert looks_like_remote("warehouse", Config())
    assert not looks_like_remote("sample", Config())
    route = Route(source="./dist", sinks=["pypi"])
    assert not looks_like_remote("warehouse", Config(routes={"release": route}))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://example.org/legacy/", "https://example.org/legacy", True),
        ("https://example.org/legacy/", "https://EXAMPLE.org/legacy/", True),
        ("https://example.org/legacy/", "http://example.org/legacy/", False),
        ("https://example.org/legacy/", "https://example.org:8443/legacy/", False),
        ("https://example.org/a", "https://example.org/b", False),
        ("http://[", "http://[", True),
        ("http://[", "https://example.org/", False),
    ],
)
def test_same_place_ignores_a_final_slash_and_case_of_the_host(one, other, same):
    assert same_place(one, other) is same


def test_malformed_url_is_not_pypi():
    assert kind_of("http://[") == "index"


class TestRelaying:
    @pytest.fixture
    def dist(self, tmp_path):
        folder = tmp_path / "dist"
        make_wheel(folder, "sample", "1.0")
        return folder

    @pytest.fixture
    def section(self, home, pypiserver):
        (home / ".pypirc").write_text(
            f"[distutils]\nindex-servers = warehouse\n[warehouse]\nrepository = {pypiserver.upload_url}\n"
            f"username = {pypiserver.username}\npassword = {pypiserver.password}\n"
        )
        (home / ".pypirc").chmod(0o600)

    def test_unreadable_index_names_the_options_and_uploads_nothing(self, dist, section, pypiserver):
        route = Route(source=str(dist), sinks=["warehouse"])
        message = r"'warehouse' is write-only.*Simple API.*confirm = \"none\".*under \[remotes\.warehouse\]"
        with pytest.raises(ConfigError, match=message):
            wheelrelay.relay(route)
        assert pypiserver.folder
        assert list(pypiserver.folder.iterdir()) == []

    @pytest.mark.parametrize("confirm", ["none", "index"])
    def test_publishes_with_the_credentials_of_the_section(
        self, dist, section, pypiserver, tmp_path, confirm
    ):
        url = f'url = "{pypiserver.simple_url}"\n' if confirm == "index" else ""
        (tmp_path / "wheelrelay.toml").write_text(
            f'[remotes.warehouse]\ntype = "index"\nupload_url = "{pypiserver.upload_url}"\n'
            f'{url}confirm = "{confirm}"\n'
        )
        warehouse = load_config(tmp_path / "wheelrelay.toml").remote("warehouse")
        assert warehouse.confirm is Confirm(confirm)
        assert wheelrelay.relay(Route(source=str(dist), sinks=[warehouse])).is_complete
        assert pypiserver.folder
        assert [path.name for path in pypiserver.folder.iterdir()] == ["sample-1.0-py3-none-any.whl"]
