"""Objects come and go under any name, with what is kept with them, and none is ever overwritten unasked."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.servers.s3 import S3Server
from tests.servers.web import Reply, Web, run_web

from wheelrelay.errors import AlreadyExists, BackendError, NotFound, Rejected
from wheelrelay.testing import stage_path, write_distribution
from wheelrelay_s3.features import WITNESS
from wheelrelay_s3.objects import S3Objects
from wheelrelay_s3.uploads import PART

NAMES = [
    "p-1!2.0.whl",
    "p-1+ubuntu.22.whl",
    "p%2B1.whl",
    "a b  c.whl",
    "p#1?x=y&z.whl",
    "~é'(1).whl",
    "f/g/h+i.whl",
]


def write(objects, name, content=b"content", **options):
    create = {"content_type": "application/octet-stream", "metadata": {}, **options}
    return objects.create_object(name, content, **create)


def read(objects, name):
    with objects.open_object(name) as stream:
        return b"".join(iter(lambda: stream.read(1 << 20), b""))


class Careless(Web):
    """A server that takes everything, whatever the conditions."""

    def reply_to(self, request):
        return Reply(headers={"ETag": '"1"'})


def server_at(web):
    return S3Server(web.url.rstrip("/"), "AK", "SK")


@pytest.fixture
def config(server, configured):
    return configured(server)


@pytest.fixture
def objects(config, connection):
    return S3Objects(connection(config))


class TestParts:
    @pytest.mark.parametrize(("start", "stop"), [(0, 1), (3, 7), (7, None), (3, 100)])
    def test_range_of_an_object_has_the_right_bytes(self, objects, start, stop):
        write(objects, "part of it.bin", b"0123456789")
        with objects.open_part("part of it.bin", start, stop) as stream:
            assert stream.read(1 << 20) == b"0123456789"[start:stop]
            assert stream.read(1 << 20) == b""

    def test_range_beyond_the_end_is_refused(self, objects):
        write(objects, "part.bin", b"0123456789")
        with pytest.raises(Rejected), objects.open_part("part.bin", 10, None):
            pass
        with pytest.raises(NotFound), objects.open_part("absent.bin", 1, None):
            pass


class TestAnyName:
    def test_is_written_listed_read_and_deleted(self, objects):
        for name in NAMES:
            write(objects, name, name.encode())
            assert read(objects, name) == name.encode()
        listed = [found.name for folder in ("", "f/g/") for found in objects.list_objects(folder)]
        assert sorted(listed) == sorted([*NAMES, WITNESS])
        for name in NAMES:
            objects.delete_object(name)
            with pytest.raises(NotFound):
                objects.stat_object(name)

    def test_deleting_what_is_not_there_is_no_error(self, objects):
        objects.delete_object("absent")


class TestWhatIsKeptWithAnObject:
    def test_texts_come_back_as_they_were(self, objects):
        texts = {"sha256": "ab" * 32, "build-job": "é 100 %  (+) %20", "build-run": "https://ci/?a=b&c#d"}
        write(objects, "kept", metadata=texts)
        assert objects.stat_object("kept").metadata == texts

    def test_the_media_type_is_served(self, objects, server, config):
        write(objects, "page", content_type="text/html; charset=utf-8")
        told = server.client().head_object(Bucket=config.bucket, Key=f"{config.prefix}/page")
        assert told["ContentType"].replace(" ", "").lower() == "text/html;charset=utf-8"

    def test_lookup_and_listing_agree(self, objects, tmp_path):
        small, large = (
            stage_path(write_distribution(tmp_path / str(size), "p-1.0-py3-none-any.whl", size=size))
            for size in (1000, PART + 1000)
        )
        told = {name: write(objects, name, content) for name, content in (("s", small), ("l", large))}
        told["b"] = write(objects, "b", b"bytes")
        assert {found.name: found.etag for found in objects.list_objects() if found.name in told} == told

    def test_what_a_listing_says_is_what_the_object_says(self, objects):
        write(objects, "one", b"12345")
        [listed] = [found for found in objects.list_objects() if found.name == "one"]
        stored = objects.stat_object("one")
        assert (listed.size, listed.etag) == (5, stored.etag)
        assert stored.size == 5
        assert listed.modified.tzinfo


class TestTakenNames:
    def test_are_refused(self, objects):
        write(objects, "taken", b"first")
        with pytest.raises(AlreadyExists):
            write(objects, "taken", b"second")
        assert read(objects, "taken") == b"first"

    def test_are_replaced_on_demand(self, objects):
        objects.replace_object("page", b"old", content_type="text/plain", metadata={"a": "1"})
        before = objects.stat_object("page")
        objects.replace_object("page", b"new", content_type="text/plain", metadata={"a": "2"})
        assert read(objects, "page") == b"new"
        assert objects.stat_object("page").etag != before.etag
        assert objects.stat_object("page").metadata == {"a": "2"}

    @pytest.mark.parametrize("name", ["seaweed", "moto"])
    def test_of_many_writers_at_once_one_wins(self, name, request, empty_place):
        objects = empty_place(request.getfixturevalue(name))

        def rival(number):
            try:
                write(objects, "raced", b"%d" % number)
            except AlreadyExists:
                return None
            return number

        with ThreadPoolExecutor(8) as pool:
            winners = [number for number in pool.map(rival, range(8)) if number is not None]
        assert read(objects, "raced") == b"%d" % winners[0]
        assert len(winners) == 1

    def test_a_server_that_would_overwrite_them_is_refused(self, configured, objects_of):
        with run_web(web=Careless) as web:
            objects = objects_of(configured(server_at(web), bucket="wheels"))
            with pytest.raises(BackendError, match="overwrites"):
                write(objects, "file.whl")
            assert [path for path in web.paths() if "file.whl" in path] == []


class TestListing:
    def test_shows_a_folder_and_not_what_is_below_or_beside_it(self, objects):
        for name in ("a", "folder/b", "folder/deeper/c", "folder-2/d"):
            write(objects, name)
        assert [found.name for found in objects.list_objects("folder/")] == ["folder/b"]
        assert sorted(found.name for found in objects.list_objects()) == [WITNESS, "a"]
        assert list(objects.list_objects("absent/")) == []

    def test_leaves_out_folder_objects(self, objects):
        objects.replace_object("simple/", b"<page>", content_type="text/html", metadata={})
        objects.replace_object("simple/index.html", b"<page>", content_type="text/html", metadata={})
        assert [found.name for found in objects.list_objects("simple/")] == ["simple/index.html"]

    @pytest.mark.long
    def test_is_complete_beyond_a_thousand_objects(self, seaweed, configured, objects_of, tmp_path):
        names = {f"many/sample-{n}.0-py3-none-any.whl" for n in range(10_050)}
        (tmp_path / "many").mkdir()
        for name in names:
            (tmp_path / name).touch()
        bucket = seaweed.new_bucket()
        seaweed.lay(bucket, tmp_path / "many")
        objects = objects_of(configured(seaweed, bucket=bucket, prefix=""))
        listed = [found.name for found in objects.list_objects("many/")]
        assert len(listed) == len(names)
        assert set(listed) == names

    def test_one_that_breaks_off_is_an_error(self, web, configured, objects_of):
        page = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"
        web.serve("/wheels", page, content_type="application/xml")
        objects = objects_of(configured(server_at(web), bucket="wheels", prefix=""))
        with pytest.raises(BackendError, match="incomplete listing"):
            list(objects.list_objects())


class TestABucketThatIsNotThere:
    def test_is_not_found_by_anybody(self, server, configured, objects_of):
        objects = objects_of(configured(server, bucket="no-such-bucket"))
        for ask in (
            lambda: list(objects.list_objects()),
            lambda: objects.stat_object("x"),
            lambda: read(objects, "x"),
            lambda: write(objects, "x"),
        ):
            with pytest.raises(NotFound):
                ask()


@pytest.mark.parametrize(("name", "keeps"), [("seaweed", False), ("moto", True), ("swift", True)])
def test_folder_pages_by_server(name, keeps, request, configured, objects_of):
    config = configured(request.getfixturevalue(name))
    for _ in range(2):
        assert objects_of(config).keeps_folder_pages() is keeps
