"""Azure by fsspec, before Azurite: the server refuses a taken name, and pages have their type."""

import urllib.request
import uuid

import pytest
from azure.storage.blob import BlobServiceClient
from tests.servers.azurite import has_npm, run_azurite

from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.errors import AlreadyExists, BackendError, NotFound
from wheelrelay.testing import StoreContract, make_wheel, stage_path

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not has_npm(), reason="Azurite is installed by npm"),
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning"),  # how adlfs sends a block
]


@pytest.fixture(scope="module")
def azurite(tmp_path_factory, request):
    cache = request.config.cache.mkdir("azurite")
    with run_azurite(tmp_path_factory.mktemp("azurite"), cache) as server:
        yield server


@pytest.fixture(scope="module")
def container(azurite):
    with BlobServiceClient.from_connection_string(azurite.connection_string) as client:
        client.create_container("wheels", public_access="blob")
    return "wheels"


@pytest.fixture
def config(azurite, container, monkeypatch):
    monkeypatch.setenv("AZURE", azurite.connection_string)
    options = {"connection_string": {"env": "AZURE"}}
    return FsspecConfig(url=f"az://{container}/{uuid.uuid4().hex}", options=options, pages=True)


@pytest.fixture
def store(config):
    with config.open() as store:
        yield store


def create(objects, content, name="a.txt"):
    objects.create_object(name, content, content_type="text/plain", metadata={})


class TestAzure(StoreContract):
    @pytest.fixture
    def store(self, store):
        create(store._objects, b"so that the folder is there", "marker")
        return store


def test_a_taken_name_is_refused_by_the_server(store):
    create(store._objects, b"old")
    with pytest.raises(AlreadyExists):
        create(store._objects, b"new")
    with store._objects.open_object("a.txt") as stream:
        assert stream.read(100) == b"old"


def test_pages_have_their_content_type(store, azurite, config, tmp_path):
    store.put(stage_path(make_wheel(tmp_path)))
    store.finalize({"sample"})
    url = f"{azurite.url}/{config.url.removeprefix('az://')}/simple/sample/index.html"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_what_is_not_there_is_not_found(store):
    with pytest.raises(NotFound):
        store._objects.stat_object("absent")


def test_a_key_that_is_not_accepted_is_an_error(config, azurite, monkeypatch):
    wrong = azurite.connection_string.replace("AccountKey=Eby8", "AccountKey=AAAA")
    monkeypatch.setenv("AZURE", wrong)
    with config.open() as store:
        with pytest.raises(BackendError) as refused:
            create(store._objects, b"x")
        assert not isinstance(refused.value, AlreadyExists | NotFound)
