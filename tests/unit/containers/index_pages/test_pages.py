"""The pages say of each file what installers ask for, and say the same of the same files every time."""

import base64
import hashlib
import html
import json
import re
from datetime import UTC, datetime

import pytest
from packaging.version import Version
from pypi_simple import ProjectPage

from wheelrelay.containers.index_pages import (
    NOT_DESCRIBED,
    About,
    IndexedFile,
    flat_html,
    parse_about,
    parse_project_json,
    parse_root,
    project_html,
    project_json,
    root_html,
    root_json,
)

SHA = "a" * 64
OTHER = "b" * 64
BASE = "https://example.org/some/prefix/simple/sample/"

PLAIN = IndexedFile("sample-1.0.tar.gz", Version("1.0"), 10, SHA)
FULL = IndexedFile(
    "sample-1!2.0+local-py3-none-any.whl",
    Version("1!2.0+local"),
    2000,
    OTHER,
    etag='"e-tag"',
    requires_python=">=3.9,<4",
    yanked='broken & "bad"',
    uploaded=datetime(2026, 1, 2, 3, 4, 5, 999_999, UTC),
    metadata_sha256=SHA,
    metadata_etag="m",
    signed=True,
    build={"commit": "0123abc", "run": "https://ci.example.org/1"},
)


def read_html(content):
    return ProjectPage.from_html("sample", content.decode(), base_url=BASE)


def read_json(content):
    return ProjectPage.from_json_data(json.loads(content), base_url=BASE)


@pytest.mark.parametrize("read", [read_html, read_json])
class TestProjectPage:
    @pytest.fixture
    def page(self, read):
        made = project_html if read is read_html else project_json
        made_page = read(made("sample", [FULL, PLAIN]))
        made_page.packages.sort(key=lambda package: package.filename != PLAIN.filename)
        return made_page

    def test_api_version_is_supported_by_installers(self, page):
        assert page.repository_version == "1.4"

    def test_links_are_relative_and_quoted(self, page):
        assert page.packages[1].url.partition("#")[0] == (
            "https://example.org/some/prefix/sample-1%212.0%2Blocal-py3-none-any.whl"
        )

    def test_lists_all_known_attributes(self, page):
        package = page.packages[1]
        assert package.digests == {"sha256": OTHER}
        assert package.requires_python == ">=3.9,<4"
        assert (package.is_yanked, package.yanked_reason) == (True, 'broken & "bad"')
        assert package.has_sig
        assert (package.has_metadata, package.metadata_digests) == (True, {"sha256": SHA})
        assert package.metadata_url == package.url.partition("#")[0] + ".metadata"

    def test_leaves_out_unknown_attributes(self, page):
        package = page.packages[0]
        assert package.digests == {"sha256": SHA}
        assert package.requires_python is None
        assert not package.is_yanked
        assert not package.has_sig
        assert not package.has_metadata


def test_json_is_oldest_first_and_html_newest_first():
    oldest, newest = PLAIN.filename, FULL.filename
    told = [package.filename for package in read_json(project_json("sample", [FULL, PLAIN])).packages]
    shown = [package.filename for package in read_html(project_html("sample", [PLAIN, FULL])).packages]
    assert (told, shown) == ([oldest, newest], [newest, oldest])


def test_html_shows_details_and_a_matrix():
    wheel = IndexedFile("sample-1.0-py3-none-any.whl", Version("1.0"), 10, SHA)
    page = project_html("sample", [FULL, PLAIN, wheel]).decode()
    for part in ("<h1>sample</h1>", "2.0 kB", "2026-01-02", f"sha256 {OTHER}", "yanked broken &amp;", "✓"):
        assert part in page
    assert "pip install --index-url ADDRESS sample" in page
    assert "uv pip install --default-index ADDRESS sample" in page


def wheels(*versions, tag="py3-none-any"):
    return [IndexedFile(f"sample-{version}-{tag}.whl", Version(version), 10, SHA) for version in versions]


@pytest.mark.parametrize(
    ("versions", "newest"),
    [(("1.9", "1.10", "2.0rc1"), "1.10"), (("2.0.dev1", "2.0rc1"), "2.0rc1"), (("1.0",), "1.0")],
)
def test_newest_final_release_is_unfolded_and_has_the_matrix(versions, newest):
    page = project_html("sample", wheels(*versions)).decode()
    assert re.findall('<details id="v([^"]*)" open>', page) == [newest]
    assert re.findall("<h2>Wheels of ([^<]*)</h2>", page) == [newest]


def test_prereleases_and_yanked_releases_are_marked():
    page = project_html("sample", [*wheels("1.0", "2.0rc1"), FULL]).decode()
    marks = dict(re.findall(r"<summary><h2>(.*?)</h2>(.*?) <span class=.soft.>", page))
    assert re.findall("mark.>([a-z-]*)<", marks["2.0rc1"]) == ["pre-release"]
    assert re.findall("mark.>([a-z-]*)<", marks["1!2.0+local"]) == ["yanked"]
    assert marks["1.0"] == ""


def test_only_files_are_links_for_installers():
    about = About("x", "One & two.", (("Source", "https://example.org/archive/sample-9.0.tar.gz"),))
    files = [*wheels("1.0", "2.0rc1"), PLAIN]
    page = project_html("sample", files, about).decode()
    assert "<p>One &amp; two.</p>" in page
    assert {package.filename for package in read_html(page.encode()).packages} == {
        file.filename for file in files
    }
    assert len(re.findall("<a ", page)) == len(files)


def test_files_of_a_release_are_in_the_order_of_pythons():
    files = [file for tag in ("cp310-cp310-win32", "cp39-cp39-win32") for file in wheels("1.0", tag=tag)]
    shown = [package.filename for package in read_html(project_html("sample", files)).packages]
    assert ["-".join(name.split("-")[2:3]) for name in shown] == ["cp39", "cp310"]


def test_flat_page_is_sorted_by_project_and_version():
    other = IndexedFile("another-0.5.tar.gz", Version("0.5"), 10, SHA)
    late = IndexedFile("another-10.0.tar.gz", Version("10.0"), 10, SHA)
    shown = re.findall(r">([^<]*)</a>", flat_html([PLAIN, late, *wheels("1.10", "1.9"), other]).decode())
    assert shown == [
        "another-0.5.tar.gz",
        "another-10.0.tar.gz",
        PLAIN.filename,
        "sample-1.9-py3-none-any.whl",
        "sample-1.10-py3-none-any.whl",
    ]


def test_root_page_of_5000_projects_is_small():
    names = [f"project-with-a-name-{number:04}" for number in range(5_000)]
    assert len(root_html(names)) < 500_000


class TestAbout:
    METADATA = (
        b"Metadata-Version: 2.1\nName: sample\nVersion: 1.0\nSummary: A <sample>.\n"
        b"Home-page: https://sample.example.org/\nProject-URL: Source, https://example.org/src\n"
        b"Project-URL: Script, javascript:alert(1)\nProject-URL: Homepage, https://home.example.org/\n\nText"
    )

    def test_metadata_has_summary_and_web_links(self):
        about = About.from_core_metadata(self.METADATA)
        assert about.summary == "A <sample>."
        assert about.links == (
            ("Homepage", "https://home.example.org/"),
            ("Source", "https://example.org/src"),
        )
        page = project_html("sample", [PLAIN], about).decode()
        assert "A &lt;sample&gt;." in page
        assert "javascript:" not in page

    def test_document_keeps_it_for_the_next_update(self):
        about = About.from_core_metadata(self.METADATA)
        assert parse_about(project_json("sample", [PLAIN], about)) == about
        assert parse_about(project_json("sample", [PLAIN])) == NOT_DESCRIBED

    @pytest.mark.parametrize("value", ["1", "[]", '{"links": 1}', '{"links": [["a"]]}', '{"summary": 1}'])
    def test_damaged_document_describes_nothing(self, value):
        assert parse_about(f'{{"_wheelrelay": {{"about": {value}}}}}'.encode()) == NOT_DESCRIBED


def test_page_loads_no_external_resources():
    page = project_html("sample", [PLAIN]).decode()
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    assert policy.startswith("default-src 'none'")
    for tag in ("style", "script"):
        content = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_json_has_versions_size_and_upload_time():
    page = read_json(project_json("sample", [FULL, PLAIN]))
    assert page.versions == ["1.0", "1!2.0+local"]
    assert [package.size for package in page.packages] == [10, 2000]
    assert page.packages[1].upload_time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_empty_reason_is_yanked():
    yanked = IndexedFile("sample-1.0.tar.gz", Version("1.0"), 10, SHA, yanked="")
    for page in (read_html(project_html("sample", [yanked])), read_json(project_json("s", [yanked]))):
        assert page.packages[0].is_yanked
    assert parse_project_json(project_json("sample", [yanked])) == [yanked]


def test_order_of_files_does_not_change_the_bytes():
    for make in (project_html, project_json):
        assert make("sample", [FULL, PLAIN]) == make("sample", [PLAIN, FULL])
    assert flat_html([FULL, PLAIN]) == flat_html([PLAIN, FULL])
    assert root_html(["b", "a"]) == root_html(["a", "b"])


def test_root_lists_projects_in_both_forms():
    assert [line for line in root_html(["b", "a"]).decode().splitlines() if "<a href" in line] == [
        '<li><a href="a/">a</a></li>',
        '<li><a href="b/">b</a></li>',
    ]
    document = json.loads(root_json(["b", "a"], []))
    assert document["meta"] == {"api-version": "1.4"}
    assert document["projects"] == [{"name": "a"}, {"name": "b"}]


def test_flat_page_links_to_all_files():
    page = ProjectPage.from_html("all", flat_html([FULL, PLAIN]).decode(), base_url="https://example.org/p/")
    assert [(package.filename, package.url) for package in page.packages] == [
        (PLAIN.filename, "https://example.org/p/sample-1.0.tar.gz"),
        (FULL.filename, "https://example.org/p/sample-1%212.0%2Blocal-py3-none-any.whl"),
    ]
    assert [package.digests for package in page.packages] == [{"sha256": SHA}, {"sha256": OTHER}]
    assert f">{FULL.filename}</a>" in flat_html([FULL]).decode()


def test_private_keys_start_with_an_underscore():
    [file] = json.loads(project_json("sample", [PLAIN]))["files"]
    public = {"filename", "url", "hashes", "size"}
    assert {key for key in file if not key.startswith("_")} == public


@pytest.mark.parametrize("documents", [
    (lambda files: project_json("sample", files), parse_project_json),
    (lambda files: root_json(["sample"], files), lambda content: parse_root(content).files),
])  # fmt: skip
class TestReadingBack:
    def test_parses_written_documents(self, documents):
        write, parse = documents
        whole_seconds = FULL.uploaded.replace(microsecond=0)
        plain, full = parse(write([PLAIN, FULL]))
        assert plain == PLAIN
        assert full.uploaded == whole_seconds
        assert write([plain, full]) == write([PLAIN, FULL])

    def test_truncated_document_has_no_entries(self, documents):
        write, parse = documents
        whole = write([PLAIN, FULL])
        for length in range(0, len(whole) - 2, 7):
            assert parse(whole[:length]) == []

    @pytest.mark.parametrize(
        "junk", [b"", b"null", b"[]", b'"x"', b"\xff\xfe", b'{"files": 3}', b'{"files": [null, 3, {}]}']
    )
    def test_foreign_document_has_no_entries(self, documents, junk):
        assert documents[1](junk) == []

    def test_damaged_entry_is_skipped(self, documents):
        write, parse = documents
        damaged = write([PLAIN, FULL]).replace(SHA.encode(), b"not a digest", 1)
        assert [file.filename for file in parse(damaged)] == [FULL.filename]
