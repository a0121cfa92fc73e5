"""Real indexes keep the contract, and what an index answers is understood whatever its words are."""

import pytest
from tests.servers.proxy import Fault, run_proxy
from tests.servers.web import Reply

from wheelrelay.backends.index import IndexConfig, PyPIConfig, TestPyPIConfig
from wheelrelay.config.remotes import from_address
from wheelrelay.errors import AlreadyExists, PermissionDenied, Rejected, Unavailable
from wheelrelay.protocols import Sink, Source, Store, SupportsInventory
from wheelrelay.testing import ConfigContract, StoreContract, make_wheel, stage_path
from wheelrelay.testing.contract_helpers import AWKWARD_NAMES

WHEEL = "sample-1.0-py3-none-any.whl"


def config_of(server, **keys):
    if server.username:
        keys |= {"username": server.username, "password": {"env": "INDEX_PASSWORD"}}
    return IndexConfig(url=server.simple_url, upload_url=server.upload_url, **keys)


class IndexContract(StoreContract):
    """What indexes take: the form of the upload API needs metadata, which is not read from .tar.bz2."""

    __test__ = False
    awkward_names = tuple(name for name in AWKWARD_NAMES if not name.endswith(".tar.bz2"))


class TestPypiserver(IndexContract):
    __test__ = True
    atomic = False  # of two uploads of one name at once, both can be told that they have won

    @pytest.fixture
    def store(self, pypiserver, monkeypatch):
        monkeypatch.setenv("INDEX_PASSWORD", pypiserver.password)
        with config_of(pypiserver).open() as store:
            yield store


@pytest.mark.long
class TestDevpi(IndexContract):
    __test__ = True

    @pytest.fixture
    def store(self, devpi, monkeypatch):
        monkeypatch.setenv("INDEX_PASSWORD", devpi.password)
        with config_of(devpi).open() as store:
            yield store


class TestIndexConfig(ConfigContract):
    @pytest.fixture
    def config(self, monkeypatch, tmp_path):
        monkeypatch.setenv("INDEX_PASSWORD", "s3cret")
        return IndexConfig(
            url="https://example.org/simple/",
            upload_url="https://example.org/legacy/",
            username="ci",
            password={"env": "INDEX_PASSWORD"},
        )


@pytest.fixture
def proxy(open_pypiserver):
    with run_proxy(open_pypiserver) as running:
        yield running


@pytest.fixture
def index(proxy):
    with config_of(proxy.index).open() as connected:
        yield connected


@pytest.fixture
def staged(tmp_path):
    return stage_path(make_wheel(tmp_path / "dist"))


@pytest.fixture
def other(tmp_path):
    """The same name with other content."""
    return stage_path(make_wheel(tmp_path / "other", payload=b"other"))


def refusal(status, words=b"No."):
    return Fault(Reply(words, status, "text/plain"))


@pytest.mark.parametrize("status", [400, 403, 409, 422])
class TestTakenName:
    """Indexes say it with 409, 400, 403 or what they like, in words of their own."""

    def test_same_bytes_are_accepted(self, index, proxy, staged, status):
        index.put(staged)
        proxy.fail_upload(WHEEL, refusal(status))
        index.put(staged)

    def test_other_bytes_are_an_error(self, index, proxy, staged, other, status):
        index.put(other)
        proxy.fail_upload(WHEEL, refusal(status))
        with pytest.raises(AlreadyExists, match="with other content"):
            index.put(staged)

    def test_unknown_digest_is_never_the_same(self, index, proxy, staged, status):
        index.put(staged)
        proxy.rewrite = lambda page: page.replace(b"#sha256=", b"#egg=")
        proxy.fail_upload(WHEEL, refusal(status))
        with pytest.raises(AlreadyExists, match="with an unknown digest"):
            index.put(staged)


@pytest.mark.parametrize(
    ("status", "error"), [(400, Rejected), (422, Rejected), (403, PermissionDenied), (409, AlreadyExists)]
)
def test_refusal_of_an_absent_file_is_reported(index, proxy, staged, status, error):
    proxy.fail_upload(WHEEL, refusal(status, b"The description cannot be rendered."))
    with pytest.raises(error) as failed:
        index.put(staged)
    assert "description cannot be rendered" in str(failed.value) or status == 409


def test_failure_while_comparing_is_retryable(index, proxy, staged):
    proxy.fail_upload(WHEEL, refusal(400))
    proxy.fail_page(refusal(503))
    with pytest.raises(Unavailable):
        index.put(staged)


def test_index_is_source_or_sink_depending_on_its_urls():
    simple, legacy = "https://example.org/simple/", "https://example.org/legacy/"
    with IndexConfig(url=simple).open() as reader:
        assert isinstance(reader, Source)
        assert isinstance(reader, SupportsInventory)
        assert not isinstance(reader, Sink)
    with IndexConfig(upload_url=legacy, confirm="none").open() as writer:
        assert isinstance(writer, Sink)
        assert not isinstance(writer, Source)
        assert not isinstance(writer, SupportsInventory)
    with IndexConfig(url=simple, upload_url=legacy).open() as both:
        assert isinstance(both, Store)


@pytest.mark.parametrize(("preset", "host"), [(PyPIConfig, "pypi"), (TestPyPIConfig, "test.pypi")])
def test_pypi_and_testpypi_need_no_configuration(preset, host):
    config = preset()
    assert f"//{host}." in config.url
    assert config.url.endswith("/simple/")
    assert config.upload_url.endswith("/legacy/")
    assert from_address(config.type).config == config


def test_index_address_opens_an_index():
    assert from_address("index+https://example.org/simple/").config == IndexConfig(
        url="https://example.org/simple/"
    )


def test_invalid_settings_are_rejected():
    with pytest.raises(ValueError, match="an index needs url, upload_url"):
        IndexConfig()
    with pytest.raises(ValueError, match="either token, or username and password"):
        IndexConfig(url="https://example.org/", token={"env": "A"}, password={"env": "B"})
