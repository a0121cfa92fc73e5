"""Whole relays between real places: what is there arrives, and what goes wrong leaves no damage."""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.servers.openpgp import armored, signature
from tests.servers.process import script
from tests.servers.proxy import Fault, run_proxy, uploaded_name
from tests.servers.web import Reply, read

import wheelrelay
from wheelrelay import PublishOptions, Remote, Route
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.web.listing import ListingConfig
from wheelrelay.model import Confirm
from wheelrelay.records import Action, Outcome
from wheelrelay.testing import make_sdist, make_wheel

TAGS = ("cp312-cp312-manylinux_2_17_x86_64", "cp313-cp313-win_amd64", "py3-none-any")
SDIST = "sample-1.0.tar.gz"
PURE = "sample-1.0-py3-none-any.whl"
AGAIN = {"Retry-After": "0"}
"""Tells the client not to wait, so that a test does not either."""


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """The folder for temporary files; it must be empty when a relay is over, however it ended."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def dist(tmp_path):
    """A release of three wheels and an sdist."""
    folder = tmp_path / "dist"
    for tag in TAGS:
        make_wheel(folder, "sample", "1.0", tag, payload=os.urandom(5_000))
    make_sdist(folder, "sample", "1.0")
    return folder


@pytest.fixture
def wheelhouse(tmp_path):
    return tmp_path / "wheelhouse"


@pytest.fixture(params=["pypiserver", "devpi"])
def index(request, monkeypatch):
    """A real index that wants a password; once each."""
    server = request.getfixturevalue(request.param)
    monkeypatch.setenv("INDEX_PASSWORD", server.password)
    return server


@pytest.fixture
def proxy(open_pypiserver):
    """A real index, with a proxy in front of it that loses answers when told to."""
    with run_proxy(open_pypiserver) as running:
        yield running


@pytest.fixture
def listing(web, dist):
    """The release on a page of links without any digest."""
    web.serve_folder(dist, "/files/")
    return Remote("listing", ListingConfig(url=web.url + "files/"))


def index_remote(server, name="index", **keys):
    if server.username:
        keys |= {"username": server.username, "password": {"env": "INDEX_PASSWORD"}}
    return Remote(name, IndexConfig(url=server.simple_url, upload_url=server.upload_url, **keys))


def relay(source, *sinks, requirement="sample==1.0", **options):
    mode = options.pop("mode", "release")
    route = Route(source=str(source) if isinstance(source, Path) else source, sinks=list(sinks), mode=mode)
    return wheelrelay.relay(route, [requirement] if requirement else [], **options)


def outcomes(receipt, sink=None):
    """The outcome for each file at the only sink, or at the one that is named."""
    return {file.filename: file.sinks[sink or receipt.sinks[0]].outcome for file in receipt.files}


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def shown(remote, project="sample"):
    """What a place shows to the world: the sha256 by filename."""
    try:
        return {file.filename: file.sha256 for file in wheelrelay.list_files(remote, [project])}
    except wheelrelay.NothingMatched:
        return {}


def all_are(outcome, receipt, sink=None):
    return set(outcomes(receipt, sink).values()) == {outcome}


class TestFromEverywhereToEverywhere:
    @pytest.fixture(params=["directory", "listing", "index"])
    def source(self, request, dist, open_pypiserver):
        if request.param == "directory":
            return Remote("dist", wheelrelay.load_config().remote(str(dist)).config)
        if request.param == "listing":
            return request.getfixturevalue("listing")
        for path in dist.iterdir():
            (open_pypiserver.folder / path.name).write_bytes(path.read_bytes())
        return Remote("staging", IndexConfig(url=open_pypiserver.simple_url))

    def test_a_release_arrives_and_a_second_relay_has_nothing_to_do(self, source, index, dist):
        sink = index_remote(index)
        first = relay(source, sink)
        assert first.is_complete
        assert all_are(Outcome.PUBLISHED, first)
        assert shown(sink) == digests(dist)
        assert {file.filename: file.sha256 for file in first.files} == digests(dist)
        second = relay(source, sink)
        assert all_are(Outcome.SKIPPED, second)
        assert shown(sink) == digests(dist)

    def test_a_relay_into_a_directory_only_downloads(self, source, dist, wheelhouse):
        assert all_are(Outcome.PUBLISHED, relay(source, str(wheelhouse)))
        assert digests(wheelhouse) == digests(dist)
        assert all_are(Outcome.SKIPPED, relay(source, str(wheelhouse)))
        assert digests(wheelhouse) == digests(dist)

    def test_a_plan_writes_nothing(self, source, wheelhouse):
        plan = wheelrelay.plan(Route(source=source, sinks=[str(wheelhouse)]), ["sample"])
        assert plan.count(str(wheelhouse), Action.UPLOAD) == 4
        assert not wheelhouse.exists()


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """The interpreter of a virtual environment to install into."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


class TestInstallers:
    @pytest.fixture(params=["pip", "uv"])
    def install(self, request, environment, tmp_path):
        isolated = {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_CACHE_DIR": str(tmp_path / "uv")}
        if request.param == "pip":
            pip = (sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check")
            command = [*pip, "--python", environment, "install", "--no-cache-dir", "--force-reinstall"]
        else:
            command = [script("uv"), "pip", "install", "--python", environment, "--reinstall"]

        def run(url, requirement):
            done = subprocess.run(
                [*command, "--index-url", url, requirement],
                env={**os.environ, **isolated},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            code = "import sample; print(sample.__version__)"
            return subprocess.run([environment, "-c", code], capture_output=True, text=True).stdout.strip()

        return run

    def test_installers_take_what_was_relayed(self, install, index, dist):
        relay(dist, index_remote(index))
        assert install(index.simple_url, "sample==1.0") == "1.0"


class TestConflicts:
    @pytest.fixture
    def other(self, tmp_path):
        """Two of the files with other bytes."""
        folder = tmp_path / "other"
        make_wheel(folder, "sample", "1.0", "py3-none-any", payload=b"other")
        make_sdist(folder, "sample", "1.0", payload=b"other")
        return folder

    def test_the_same_name_with_other_bytes_moves_nothing(self, index, dist, other):
        sink = index_remote(index)
        relay(other, sink)
        before = shown(sink)
        with pytest.raises(wheelrelay.Conflict) as refused:
            relay(dist, sink)
        assert {finding.filename for finding in refused.value.findings} == {PURE, SDIST}
        assert shown(sink) == before == digests(other)

    def test_a_conflict_that_shows_after_staging_moves_nothing_either(self, index, listing, other):
        sink = index_remote(index)
        relay(other, sink)
        plan = wheelrelay.plan(Route(source=listing, sinks=[sink]), ["sample"])
        assert plan.count("index", Action.UNKNOWN) == 2
        with pytest.raises(wheelrelay.Conflict) as refused:
            relay(listing, sink)
        assert {finding.filename for finding in refused.value.findings} == {PURE, SDIST}
        assert shown(sink) == digests(other)

    def test_a_directory_is_never_overwritten(self, listing, other):
        before = digests(other)
        with pytest.raises(wheelrelay.Conflict):
            relay(listing, str(other))
        assert digests(other) == before

    def test_a_mirror_reports_the_conflict_and_moves_the_rest(self, dist, other, index):
        sink = index_remote(index)
        relay(other, sink)
        with pytest.raises(wheelrelay.RelayFailed) as failed:
            relay(dist, sink, mode="mirror")
        found = outcomes(failed.value.receipt)
        assert found.pop(PURE) is found.pop(SDIST) is Outcome.FAILED
        assert set(found.values()) == {Outcome.PUBLISHED}
        assert shown(sink) == {**digests(dist), **digests(other)}


class TestAnInventoryThatCannotBeRead:
    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            (Reply(b"Who are you?", 401, "text/plain"), wheelrelay.AuthenticationFailed),
            (Reply(b"Not you.", 403, "text/plain"), wheelrelay.PermissionDenied),
            (Reply(b"Oh no.", 500, "text/plain", AGAIN), wheelrelay.Unavailable),
            (Reply(b"Slow down.", 429, "text/plain", AGAIN), wheelrelay.Unavailable),
            (Reply(b"<html><h1>Log in</h1></html>", 200, "text/html"), wheelrelay.BackendError),
            (Reply(b"", 200, "text/html"), wheelrelay.BackendError),
            (Reply(b"{", 200, "application/vnd.pypi.simple.v1+json"), wheelrelay.BackendError),
            (Reply(b"\x00\x01", 200, "application/octet-stream"), wheelrelay.BackendError),
        ],
        ids=["401", "403", "500", "429", "login page", "empty", "broken JSON", "binary"],
    )
    def test_is_an_error_and_never_empty(self, proxy, dist, reply, error):
        proxy.fail_page(*[Fault(reply)] * 20)
        with pytest.raises(error) as failed:
            relay(dist, index_remote(proxy.index))
        assert "sink 'index'" in str(failed.value)
        assert proxy.uploads() == []

    def test_at_any_sink_keeps_all_sinks_untouched(self, proxy, dist, wheelhouse):
        proxy.fail_page(Fault(Reply(b"Not you.", 403, "text/plain")))
        with pytest.raises(wheelrelay.PermissionDenied):
            relay(dist, str(wheelhouse), index_remote(proxy.index))
        assert not wheelhouse.exists()


class TestDamagedSources:
    @pytest.mark.parametrize(
        "damage",
        [
            lambda good: {"body": "<html>Please log in.</html>"},
            lambda good: {"body": good[:-100]},
            lambda good: {"body": good[:-3000] + os.urandom(2000) + good[-1000:]},
        ],
        ids=["web page", "short", "corrupt"],
    )
    @pytest.mark.parametrize("declared", [True, False], ids=["with digest", "without digest"])
    def test_nothing_is_published_and_nothing_left(self, web, dist, wheelhouse, damage, declared):
        links = ""
        for path in dist.iterdir():
            good = path.read_bytes()
            web.serve(f"/{path.name}", **({"body": good} if path.name != PURE else damage(good)))
            fragment = f"#sha256={hashlib.sha256(good).hexdigest()}" if declared else ""
            links += f'<a href="/{path.name}{fragment}">{path.name}</a>\n'
        web.serve("/files/", links)
        source = Remote("listing", ListingConfig(url=web.url + "files/"))
        with pytest.raises(wheelrelay.IntegrityError, match=PURE) as failed:
            relay(source, str(wheelhouse))
        assert "source 'listing'" in str(failed.value)
        assert not wheelhouse.exists()

    def test_a_wrong_digest_is_not_published(self, web, dist, wheelhouse):
        web.serve_folder(dist, "/")
        fragment = "#sha256=" + "0" * 64
        web.serve("/files/", f'<a href="/{PURE}{fragment}">{PURE}</a> <a href="/{SDIST}">{SDIST}</a>')
        with pytest.raises(wheelrelay.DigestMismatch):
            relay(Remote("listing", ListingConfig(url=web.url + "files/")), str(wheelhouse))
        assert not wheelhouse.exists()

    def test_one_run_tells_of_all_damaged_files(self, web, listing, wheelhouse):
        web.serve(f"/files/{PURE}", b"PK not really")
        web.serve(f"/files/{SDIST}", b"no archive at all")
        with pytest.raises(wheelrelay.IntegrityError) as failed:
            relay(listing, str(wheelhouse))
        assert PURE in str(failed.value)
        assert SDIST in str(failed.value)

    def test_a_file_that_is_gone_is_told(self, web, listing, wheelhouse):
        web.serve(f"/files/{PURE}", b"gone", status=404)
        with pytest.raises(wheelrelay.NotFound):
            relay(listing, str(wheelhouse))
        assert not wheelhouse.exists()

    def test_a_source_that_refuses_ends_the_relay_at_once(self, web, listing, wheelhouse, dist):
        for path in dist.iterdir():
            web.serve(f"/files/{path.name}", b"Not you.", status=403)
        with pytest.raises(wheelrelay.PermissionDenied) as failed:
            relay(listing, str(wheelhouse), jobs=1)
        assert str(failed.value).count("answered 403") == 1

    def test_a_mirror_reports_the_bad_file_and_moves_the_rest(self, web, listing, wheelhouse, dist):
        web.serve(f"/files/{PURE}", b"PK not really")
        with pytest.raises(wheelrelay.RelayFailed) as failed:
            relay(listing, str(wheelhouse), mode="mirror")
        assert outcomes(failed.value.receipt)[PURE] is Outcome.FAILED
        assert PURE in str(failed.value)
        expected = digests(dist)
        del expected[PURE]
        assert digests(wheelhouse) == expected


class TestWhichFiles:
    @pytest.fixture
    def many(self, tmp_path):
        folder = tmp_path / "many"
        for version in ("1.0", "1.1", "2.0rc1"):
            make_wheel(folder, "sample", version)
        make_wheel(folder, "sample-other", "1.0")
        return folder

    def test_several_versions_are_not_one_release(self, many, wheelhouse):
        with pytest.raises(wheelrelay.SeveralVersions, match=r"sample has 1\.0, 1\.1"):
            relay(many, str(wheelhouse), requirement="sample")
        assert not wheelhouse.exists()

    def test_a_mirror_takes_all_versions(self, many, wheelhouse):
        relay(many, str(wheelhouse), requirement="sample", mode="mirror")
        assert sorted(digests(wheelhouse)) == ["sample-1.0-py3-none-any.whl", "sample-1.1-py3-none-any.whl"]

    def test_a_mirror_without_requirement_takes_all_that_is_there(self, many, wheelhouse):
        relay(many, str(wheelhouse), requirement=None, mode="mirror")
        assert digests(wheelhouse) == digests(many)

    def test_a_pre_release_is_taken_when_it_is_asked_for(self, many, wheelhouse):
        relay(many, str(wheelhouse), requirement="sample==2.0rc1")
        assert sorted(digests(wheelhouse)) == ["sample-2.0rc1-py3-none-any.whl"]

    @pytest.mark.parametrize(
        ("requirement", "nearest"),
        [("sample==9", "1.1"), ("sampel", "sample"), ("sample-othr", "sample-other")],
    )
    def test_nothing_matched_shows_what_is_nearest(self, many, wheelhouse, requirement, nearest):
        with pytest.raises(wheelrelay.NothingMatched, match=nearest):
            relay(many, str(wheelhouse), requirement=requirement)

    def test_nothing_matched_on_an_index_shows_what_is_nearest(self, open_pypiserver, many, wheelhouse):
        relay(many, index_remote(open_pypiserver), requirement="sample==1.0")
        with pytest.raises(wheelrelay.NothingMatched, match="sample"):
            relay(index_remote(open_pypiserver), str(wheelhouse), requirement="sampel")

    def test_yanked_files_are_left_out_unless_pinned(self, web, many, wheelhouse):
        web.serve_folder(many, "/files/")
        web.serve(
            "/simple/sample/",
            '<meta name="pypi:repository-version" content="1.0">'
            '<a href="/files/sample-1.0-py3-none-any.whl">sample-1.0-py3-none-any.whl</a>'
            '<a href="/files/sample-1.1-py3-none-any.whl" data-yanked="broken">x</a>',
        )
        source = Remote("index", IndexConfig(url=web.url + "simple/"))
        relay(source, str(wheelhouse), requirement="sample")
        assert sorted(digests(wheelhouse)) == ["sample-1.0-py3-none-any.whl"]
        relay(source, str(wheelhouse), requirement="sample==1.1")
        assert "sample-1.1-py3-none-any.whl" in digests(wheelhouse)

    def test_wheels_by_tag_and_sdists_by_choice(self, dist, wheelhouse):
        route = Route(source=str(dist), sinks=[str(wheelhouse)], wheels=["cp312-*-manylinux*"], sdist=False)
        wheelrelay.relay(route, ["sample"])
        assert sorted(digests(wheelhouse)) == ["sample-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"]
        wheelrelay.relay(Route(source=str(dist), sinks=[str(wheelhouse)], wheels=[]), ["sample"])
        assert SDIST in digests(wheelhouse)


class TestTroubleThatPasses:
    @pytest.mark.parametrize(
        "fault",
        [
            Reply(b"Busy.", 503, headers=AGAIN),
            Reply(b"Slow down.", 429, headers=AGAIN),
            Reply(b"PK" * 100, cut_after=50),
        ],
        ids=["503", "429", "cut"],
    )
    def test_while_staging_is_overcome(self, web, listing, wheelhouse, dist, fault):
        web.fail(f"/files/{PURE}", fault)
        assert relay(listing, str(wheelhouse)).is_complete
        assert digests(wheelhouse) == digests(dist)

    def test_while_listing_is_overcome(self, web, listing, wheelhouse):
        web.fail("/files/", Reply(b"Busy.", 503, headers=AGAIN))
        assert relay(listing, str(wheelhouse)).is_complete

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(Reply(b"Busy.", 503, headers=AGAIN)),
            Fault(Reply(b"Slow down.", 429, headers=AGAIN)),
            Fault(),
            Fault(after=3_000),
        ],
        ids=["503", "429", "reset", "reset in the body"],
    )
    def test_while_publishing_is_overcome(self, proxy, dist, fault):
        proxy.fail_upload(PURE, fault)
        receipt = relay(dist, index_remote(proxy.index))
        assert receipt.is_complete
        assert max(file.sinks["index"].attempts for file in receipt.files) == 2
        assert shown(index_remote(proxy.index)) == digests(dist)

    @pytest.mark.parametrize("reply", [Reply(b"Busy.", 503, headers=AGAIN), None], ids=["503", "reset"])
    def test_a_lost_answer_is_settled_by_asking_and_not_by_sending_again(self, proxy, dist, reply):
        proxy.fail_upload("", Fault(reply, taken=True))
        receipt = relay(dist, index_remote(proxy.index))
        assert all_are(Outcome.PUBLISHED, receipt)
        assert sorted(proxy.uploads()) == sorted(digests(dist))

    def test_trouble_that_stays_fails_without_a_trace(self, proxy, dist):
        proxy.fail_upload("", *[Fault(Reply(b"Busy.", 503, headers=AGAIN))] * 100)
        with pytest.raises(wheelrelay.RelayFailed) as failed:
            relay(dist, index_remote(proxy.index), jobs=1)
        assert sorted(set(outcomes(failed.value.receipt).values())) == [Outcome.FAILED, Outcome.PENDING]
        assert shown(index_remote(proxy.index)) == {}


class TestPublishing:
    def test_the_sdist_goes_last(self, proxy, dist):
        relay(dist, index_remote(proxy.index))
        assert proxy.uploads()[-1] == SDIST
        assert len(proxy.uploads()) == 4
        names = [uploaded_name(request) or "" for request in proxy.requests]
        last_wheel = max(n for n, name in enumerate(names) if name.endswith(".whl"))
        between = [request.path for request in proxy.requests[last_wheel + 1 : names.index(SDIST)]]
        assert "/simple/sample/" in between, "the wheels were not confirmed before the sdist went"

    def test_a_refusal_stops_what_has_not_begun_and_a_second_run_completes(self, proxy, dist):
        sink = index_remote(proxy.index)
        proxy.fail_upload(
            "sample-1.0-cp313-cp313-win_amd64.whl", Fault(Reply(b"Bad description.", 400, "text/plain"))
        )
        with pytest.raises(wheelrelay.RelayFailed, match="Bad description") as failed:
            relay(dist, sink, jobs=1)
        assert outcomes(failed.value.receipt) == {
            "sample-1.0-cp312-cp312-manylinux_2_17_x86_64.whl": Outcome.PUBLISHED,
            "sample-1.0-cp313-cp313-win_amd64.whl": Outcome.FAILED,
            PURE: Outcome.PENDING,
            SDIST: Outcome.PENDING,
        }
        assert list(shown(sink)) == ["sample-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"]
        second = relay(dist, sink)
        assert second.is_complete
        assert shown(sink) == digests(dist)

    def test_the_second_sink_is_not_touched_when_the_first_fails(self, proxy, dist, wheelhouse):
        proxy.fail_upload(SDIST, Fault(Reply(b"Bad.", 400, "text/plain")))
        with pytest.raises(wheelrelay.RelayFailed) as failed:
            relay(dist, index_remote(proxy.index), str(wheelhouse))
        assert all_are(Outcome.PENDING, failed.value.receipt, str(wheelhouse))
        assert not wheelhouse.exists()

    def test_the_second_sink_waits_until_the_first_is_confirmed(self, index, dist, wheelhouse):
        receipt = relay(dist, index_remote(index), str(wheelhouse))
        assert receipt.is_complete
        assert digests(wheelhouse) == digests(dist) == shown(index_remote(index))

    def test_a_sink_that_has_all_does_not_keep_the_next_one_from_its_files(self, index, dist, wheelhouse):
        relay(dist, index_remote(index))
        receipt = relay(dist, index_remote(index), str(wheelhouse))
        assert all_are(Outcome.SKIPPED, receipt, "index")
        assert all_are(Outcome.PUBLISHED, receipt, str(wheelhouse))


class TestConfirming:
    def test_a_sink_that_shows_the_files_late_is_waited_for(self, proxy, dist):
        proxy.fail_page(*[Fault(Reply(b"", 404))] * 4)
        assert relay(dist, index_remote(proxy.index)).is_complete

    def test_polling_goes_past_caches(self, proxy, dist):
        relay(dist, index_remote(proxy.index))
        first = next(n for n, request in enumerate(proxy.requests) if request.method == "POST")
        pages = [request for request in proxy.requests[first:] if request.path == "/simple/sample/"]
        assert {page.headers.get("cache-control") for page in pages} == {"no-cache"}

    def test_a_sink_that_does_not_show_them_in_time_leaves_them_unconfirmed(self, proxy, dist):
        proxy.fail_page(*[Fault(Reply(b"", 404))] * 1_000)
        with pytest.raises(wheelrelay.RelayFailed, match="does not show it") as failed:
            relay(dist, index_remote(proxy.index), options=PublishOptions(confirm_timeout=0.5))
        found = outcomes(failed.value.receipt)
        assert found.pop(SDIST) is Outcome.PENDING
        assert set(found.values()) == {Outcome.UNCONFIRMED}

    def test_other_bytes_than_were_sent_are_never_taken_for_success(self, proxy, dist):
        true = digests(dist)[PURE].encode()
        proxy.rewrite = lambda page: page.replace(true, b"0" * 64)
        with pytest.raises(wheelrelay.RelayFailed, match="but the sink has 000") as failed:
            relay(dist, index_remote(proxy.index))
        assert not failed.value.receipt.is_complete
        assert failed.value.receipt.has_changes

    def test_downloading_proves_the_very_bytes(self, index, dist):
        assert relay(dist, index_remote(index, confirm=Confirm.DOWNLOAD)).is_complete

    def test_downloading_finds_what_the_page_hides(self, proxy, dist, open_pypiserver):
        def swap(page):
            (open_pypiserver.folder / PURE).write_bytes(b"PK something else")
            return page

        sink = index_remote(proxy.index, confirm=Confirm.DOWNLOAD)
        proxy.rewrite = lambda page: swap(page) if PURE.encode() in page else page
        with pytest.raises(wheelrelay.RelayFailed, match="but the sink has"):
            relay(dist, sink)

    def test_a_sinks_word_may_be_taken(self, open_pypiserver, dist):
        blind = Remote("blind", IndexConfig(upload_url=open_pypiserver.upload_url, confirm=Confirm.NONE))
        receipt = relay(dist, blind)
        assert all_are(Outcome.PUBLISHED, receipt)
        assert digests(open_pypiserver.folder) == digests(dist)
        assert all_are(Outcome.SKIPPED, relay(dist, blind))


class TestThreads:
    @pytest.fixture
    def many(self, tmp_path):
        folder = tmp_path / "many"
        for number in range(24):
            make_wheel(folder, "sample", "1.0", f"py3-none-manylinux_2_{number}_x86_64")
        return folder

    def test_files_move_at_once_and_connections_are_used_again(self, web, proxy, many):
        page = web.serve_folder(many, "/files/")
        web.latency = 0.02
        source = Remote("listing", ListingConfig(url=page))
        receipt = relay(source, index_remote(proxy.index), jobs=3)
        assert receipt.is_complete
        assert web.most_at_once > 1
        assert len(proxy.uploads()) == 24
        assert len(proxy.connections) <= 3 + 2

    def test_no_job_at_all_is_refused(self, dist, wheelhouse):
        with pytest.raises(wheelrelay.ConfigError, match="0 files at once"):
            relay(dist, str(wheelhouse), jobs=0)


def test_names_are_normalised_and_versions_compared_on_both_sides(index, tmp_path):
    folder = tmp_path / "spellings"
    make_wheel(folder, "Foo.Bar", "1.0", filename="Foo.Bar-1.0-py3-none-any.whl")
    make_wheel(folder, "foo", "1.0")
    sink = index_remote(index)
    relay(folder, sink, requirement="foo_bar==1")
    assert list(shown(sink, "FOO-BAR")) == ["Foo.Bar-1.0-py3-none-any.whl"]
    assert shown(sink, "foo") == {}


def test_signatures_travel_with_their_files(web, dist, wheelhouse, open_pypiserver):
    content = armored(signature())
    (dist / f"{SDIST}.asc").write_bytes(content)
    relay(dist, str(wheelhouse))
    assert (wheelhouse / f"{SDIST}.asc").read_bytes() == content
    relay(wheelhouse, index_remote(open_pypiserver))
    assert read(open_pypiserver.url + f"packages/{SDIST}.asc") == content
