"""``list`` and ``backends``: what is there."""

import hashlib
import json

import pytest
from jsonschema import validate
from tests.e2e.cli.conftest import SDIST, WHEEL

from wheelrelay.cli.render.console import choose_color
from wheelrelay.documents import document_schema
from wheelrelay.testing import make_sdist, make_wheel


def listed(ended):
    document = json.loads(ended.out)
    validate(document, document_schema("list"))
    return document


@pytest.fixture
def listing(web, dist):
    return f"listing+{web.serve_folder(dist, '/files/')}"


def test_files_are_listed_by_release(wheelrelay, dist):
    make_wheel(dist, "other", "2.0")
    said = wheelrelay("list", "./dist").out
    assert WHEEL in said
    assert SDIST in said
    assert "3 files in 2 releases." in said


def test_a_requirement_narrows_the_list(wheelrelay, dist):
    make_wheel(dist, "sample", "2.0")
    assert [file["filename"] for file in listed(wheelrelay("list", "dist/", "sample>=2", "--json"))] == [
        "sample-2.0-py3-none-any.whl"
    ]


def test_json_tells_all_that_is_known(wheelrelay, dist):
    [wheel, sdist] = listed(wheelrelay("list", "./dist", "--json"))
    content = (dist / WHEEL).read_bytes()
    assert wheel["filename"] == WHEEL
    assert (wheel["project"], wheel["version"], wheel["kind"]) == ("sample", "1.0", "wheel")
    assert wheel["tags"] == ["py3-none-any"]
    assert (wheel["size"], wheel["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert wheel["url"] == str(dist.relative_to(dist.parent) / WHEEL)
    assert (sdist["kind"], sdist["tags"]) == ("sdist", [])


def test_unknown_digests_are_null_in_json(wheelrelay, listing):
    assert {file["sha256"] for file in listed(wheelrelay("list", listing, "--json"))} == {None}
    assert "unknown" in wheelrelay("list", listing).out


def test_metadata_of_an_index_is_listed(wheelrelay, web, here):
    web.serve(
        "/simple/sample/",
        '<meta name="pypi:repository-version" content="1.0">'
        f'<a href="/{WHEEL}" data-requires-python="&gt;=3.9" data-yanked="broken">{WHEEL}</a>',
    )
    ended = wheelrelay("list", f"index+{web.url}simple/", "sample==1.0", "--json")
    assert listed(ended)[0]["requires_python"] == ">=3.9"
    assert listed(ended)[0]["yanked"] == "broken"
    assert "yanked" in wheelrelay("list", f"index+{web.url}simple/", "sample==1.0").out


def test_companions_are_listed(wheelrelay, dist):
    (dist / f"{SDIST}.asc").write_bytes(b"signature")
    assert listed(wheelrelay("list", "./dist", "--json"))[1]["companions"] == [".asc"]
    assert ".asc" in wheelrelay("list", "./dist").out


def test_empty_remote_exits_with_1(wheelrelay, here):
    (here / "empty").mkdir()
    ended = wheelrelay("list", "./empty")
    assert (ended.code, ended.out) == (1, "")
    assert "No distribution files found" in ended.err


def test_unreadable_remote_exits_with_1(wheelrelay, web):
    web.serve("/files/", b"Not you.", status=403)
    ended = wheelrelay("list", f"listing+{web.url}files/", "--json")
    assert (ended.code, ended.out) == (1, "")
    assert "403" in ended.err


def test_write_only_remote_cannot_be_listed(wheelrelay, here):
    (here / "wheelrelay.toml").write_text(
        '[remotes.blind]\ntype = "index"\nupload_url = "https://example.org/legacy/"\nconfirm = "none"\n'
    )
    ended = wheelrelay("list", "blind")
    assert ended.code == 2
    assert "write-only" in ended.err


def test_backends_are_listed_with_packages_and_roles(wheelrelay, here):
    said = {line.split()[0]: line for line in wheelrelay("backends").out.splitlines()}
    assert {"directory", "fsspec", "listing", "index", "pypi", "testpypi", "web"} <= set(said)
    assert "wheelrelay" in said["directory"]
    document = json.loads(wheelrelay("backends", "--json").out)
    roles = {one["type"]: one["roles"] for one in document}
    assert set(roles["directory"]) >= {"source", "sink"}
    assert "sink" not in roles["listing"]
    assert all(one["package"] and one["version"] for one in document)


def test_text_has_the_digests_that_json_has(wheelrelay, dist):
    make_wheel(dist, "other", metadata={"Requires-Python": ">=3.9"})
    said = wheelrelay("list", "./dist").out
    for file in listed(wheelrelay("list", "./dist", "--json")):
        [row] = [line for line in said.splitlines() if line.startswith(file["filename"])]
        assert f"{file['sha256'][:12]}..." in row
    assert "unknown" not in said


class TestLong:
    @pytest.fixture
    def index(self, web):
        """An index that declares every detail of a file except its companions and build."""
        name = "sample-1.0-2-py2.py3-none-any.whl"
        file = {
            "filename": name,
            "url": f"/files/{name}",
            "hashes": {"sha256": "ab" * 32},
            "size": 12345,
            "requires-python": ">=3.9",
            "yanked": "broken",
            "upload-time": "2026-11-29T05:33:16Z",
        }
        page = {"meta": {"api-version": "1.4"}, "name": "sample", "files": [file], "versions": ["1.0"]}
        json_type = "application/vnd.pypi.simple.v1+json"
        web.serve("/simple/sample/", json.dumps(page).encode(), content_type=json_type)
        return f"index+{web.url}simple/"

    def test_shows_every_detail(self, wheelrelay, web, index):
        assert wheelrelay("list", index, "sample==1.0", "--long").out.splitlines() == [
            "sample-1.0-2-py2.py3-none-any.whl",
            "  project     sample 1.0",
            "  kind        wheel",
            "  tags        py2-none-any py3-none-any",
            "  size        12.3 kB (12,345 bytes)",
            f"  sha256      {'ab' * 32}",
            f"  url         {web.url}files/sample-1.0-2-py2.py3-none-any.whl",
            "  python      >=3.9",
            "  uploaded    2026-11-29 05:33:16+00:00",
            "  yanked      broken",
            "1 file in 1 release.",
        ]

    def test_has_all_values_of_json(self, wheelrelay, dist):
        (dist / f"{SDIST}.asc").write_bytes(b"signature")
        details = wheelrelay("list", "./dist", "-l").out.replace(",", "")
        for file in listed(wheelrelay("list", "./dist", "--json")):
            file["upload_time"] = file["upload_time"].replace("T", " ")[:19]
            values = [str(value) for value in file.values() if value and isinstance(value, str | int)]
            assert [
                value for value in [*values, *file["tags"], *file["companions"]] if value not in details
            ] == []

    def test_fits_into_80_columns(self, wheelrelay, dist):
        lines = wheelrelay("list", "./dist", "--long").out.splitlines()
        assert max(map(len, lines)) <= 80

    def test_unknown_details_are_left_out(self, wheelrelay, listing):
        details = wheelrelay("list", listing, "--long").out
        assert "sha256      unknown" in details
        assert "uploaded" not in details


class TestMatrix:
    def test_matrix_has_a_legend(self, wheelrelay, here):
        for platform in ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64"):
            make_wheel(here / "dist", tag=f"cp313-cp313-{platform}")
        for form, start in (("text", "✓ present"), ("markdown", "✓ present"), ("html", "<p>✓ present")):
            said = wheelrelay("list", "./dist", "--matrix", "--format", form).out
            [legend] = [line for line in said.splitlines() if line.startswith(start)]
            assert "number: that many wheels" in legend

    def test_matrix_of_a_route_leaves_out_what_it_does_not_select(self, wheelrelay, here):
        for tag in ("cp312-cp312-win_amd64", "cp313-cp313-win_amd64"):
            make_wheel(here / "dist", tag=tag)
        make_sdist(here / "dist")
        (here / "wheelrelay.toml").write_text(
            '[routes.release]\nsource = "./dist"\nsinks = ["./out"]\nwheels = ["cp313-*-*"]\nsdist = false\n'
        )
        said = wheelrelay("list", "./dist", "--matrix", "--route", "release").out
        assert "cp313" in said
        assert "cp312" not in said
        assert SDIST not in said
        assert "unexpected" not in said

    def test_matrix_is_printed(self, wheelrelay, dist):
        ended = wheelrelay("list", dist, "--matrix")
        assert ended.code == 0
        assert ended.out.splitlines()[0].startswith("sample 1.0")
        assert "✓" in ended.out

    @pytest.mark.parametrize(("form", "mark"), [("markdown", "| any |"), ("html", "<table>")])
    def test_matrix_formats(self, wheelrelay, dist, form, mark):
        assert mark in wheelrelay("list", dist, "--matrix", "--format", form).out

    def test_matrix_marks_files_missing_from_the_only_route(self, wheelrelay, here):
        dist = make_wheel(here / "binary", tag="cp313-cp313-win_amd64").parent
        (here / "wheelrelay.toml").write_text(
            f'[remotes.staging]\ntype = "directory"\npath = "{dist}"\n'
            '[routes.release]\nsource = "staging"\nsinks = ["./out"]\n'
            '[routes.release.expect]\nwheels = ["cp{313,314}-*-win_amd64"]\n'
            '[routes.other]\nsource = "staging"\nsinks = ["./out"]\n'
        )
        assert "✗" in wheelrelay("list", "staging", "--matrix").out
        assert "✗" in wheelrelay("list", "staging", "--matrix", "--route", "release").out
        assert "✗" not in wheelrelay("list", "staging", "--matrix", "--route", "other").out

    @pytest.mark.parametrize(
        "options",
        [("--matrix", "--json"), ("--long", "--json"), ("--format", "html"), ("--route", "release")],
    )
    def test_conflicting_options_are_refused(self, wheelrelay, dist, options):
        assert wheelrelay("list", dist, *options).code == 2


@pytest.mark.parametrize(("choice", "coloured"), [("always", True), ("never", False), ("auto", False)])
def test_color_option(wheelrelay, dist, choice, coloured):
    ended = wheelrelay("list", dist, "--matrix", "--color", choice)
    choose_color("auto")
    assert ("\x1b[" in ended.out) is coloured
