"""A relay selects versions, wheels and sdists."""

import pytest
from tests.e2e.scenarios.helpers import SDIST, digests, index_remote, relay

import wheelrelay
from wheelrelay import Remote, Route
from wheelrelay.backends.index import IndexConfig
from wheelrelay.testing import make_wheel


class TestSelection:
    @pytest.fixture
    def many(self, tmp_path):
        folder = tmp_path / "many"
        for version in ("1.0", "1.1", "2.0rc1"):
            make_wheel(folder, "sample", version)
        make_wheel(folder, "sample-other", "1.0")
        return folder

    def test_several_versions_are_refused(self, many, wheelhouse):
        with pytest.raises(wheelrelay.SeveralVersions, match=r"sample has 1\.0, 1\.1"):
            relay(many, str(wheelhouse), requirement="sample")
        assert not wheelhouse.exists()

    def test_mirror_copies_all_versions(self, many, wheelhouse):
        relay(many, str(wheelhouse), requirement="sample", mode="mirror")
        assert sorted(digests(wheelhouse)) == ["sample-1.0-py3-none-any.whl", "sample-1.1-py3-none-any.whl"]

    def test_mirror_without_requirement_copies_all_projects(self, many, wheelhouse):
        relay(many, str(wheelhouse), requirement=None, mode="mirror")
        assert digests(wheelhouse) == digests(many)

    def test_requested_pre_release_is_selected(self, many, wheelhouse):
        relay(many, str(wheelhouse), requirement="sample==2.0rc1")
        assert sorted(digests(wheelhouse)) == ["sample-2.0rc1-py3-none-any.whl"]

    @pytest.mark.parametrize(
        ("requirement", "nearest"),
        [("sample==9", "1.1"), ("sampel", "sample"), ("sample-othr", "sample-other")],
    )
    def test_nothing_matched_suggests_close_matches(self, many, wheelhouse, requirement, nearest):
        with pytest.raises(wheelrelay.NothingMatched, match=nearest):
            relay(many, str(wheelhouse), requirement=requirement)

    def test_nothing_matched_on_index_suggests_versions(self, open_pypiserver, many, wheelhouse):
        relay(many, index_remote(open_pypiserver), requirement="sample==1.0")
        with pytest.raises(wheelrelay.NothingMatched, match="sample"):
            relay(index_remote(open_pypiserver), str(wheelhouse), requirement="sampel")

    def test_yanked_files_are_skipped_unless_pinned(self, web, many, wheelhouse):
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

    def test_wheels_and_sdist_are_selected(self, dist, wheelhouse):
        route = Route(source=str(dist), sinks=[str(wheelhouse)], wheels=["cp312-*-manylinux*"], sdist=False)
        wheelrelay.relay(route, ["sample"])
        assert sorted(digests(wheelhouse)) == ["sample-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"]
        wheelrelay.relay(Route(source=str(dist), sinks=[str(wheelhouse)], wheels=[]), ["sample"])
        assert SDIST in digests(wheelhouse)
