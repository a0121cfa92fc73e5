"""Pages that are made to cost: each is read in linear time and little memory, or refused."""

import json
import time
import tracemalloc
from html.parser import HTMLParser

import pytest

from wheelrelay.backends.index.simple_json import ProjectDocument, read_names
from wheelrelay.backends.web.html import read_html, start_tags

URL = "https://example.org/simple/sample/"

COSTLY = (
    "<!--",
    "<!---->",
    "<!--x-->",
    "<!-- --!>",
    "<![CDATA[",
    "<!DOCTYPE",
    "<!DOCTYPE>",
    "<?",
    "<a ",
    "<a\n",
    "<a b='",
    '<a b="',
    "<a href=",
    "<a b=1 ",
    "</a",
    "</a ",
    "</",
    "<",
    "&",
    "&#",
    "&#9",
    "<script>",
    "<script></script>",
    "<script></scrip",
    "<title><!--",
    "<textarea>",
    "<plaintext>",
    "<div>",
    "<a>",
    "<a =",
    "<a / ",
    "\0",
    " ",
)


@pytest.mark.parametrize("unit", COSTLY)
def test_html_is_parsed_in_linear_time(unit):
    page = f"<html>{unit * (400_000 // len(unit))}".encode()
    began = time.process_time()
    read_html(page, URL)
    assert (
        time.process_time() - began < 2
    )  # 0.2 s at most; `html.parser` of Python 3.11 needs from 3 s to minutes


class ByTheStandardLibrary(HTMLParser):
    """The start tags as `html.parser` finds them."""

    def __init__(self, text):
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, {name: value or "" for name, value in reversed(attrs)}))


@pytest.mark.parametrize(
    "text",
    [
        "<a href=x>x</a>",
        '<A HREF="a b" Data-Yanked>x</A><br/>',
        "<a\n href='x'\ttitle=\"a > b\">",
        "<a href=a/b/>",
        '<a href="x?a=1&amp;b=2" data-requires-python="&gt;=3.8">',
        "<!-- <a href=no> --><a href=yes>",
        "<!DOCTYPE html><html><head><meta name=a content=b /></head>",
        "<script>if (a<b) '<a href=no>'</script><a href=yes>",
        "<style><a href=no></STYLE ><a href=yes>",
        "text < a > b <1> <a href=yes>",
        "<a href=x href=y>",
        "<?php a ?><a href=yes>",
        '<a  x = "1"  y =2 z= 3>',
        "<p>x<p>y<ul><li><a href=1><li><a href=2></ul>",
        '<a href="x"title="y">',
    ],
)
def test_finds_the_same_tags_as_html_parser(text):
    assert list(start_tags(text)) == ByTheStandardLibrary(text).found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("<!--><a>", ["a"]),
        ("<!---><a>", ["a"]),
        ("<!-- a --!><a>", ["a"]),
        ("<!-- <a>", []),
        ("<a href='x", []),
        ("<a href=x", []),
        ("<title><a></title><b>", ["title", "b"]),
        ("<textarea><a>", ["textarea"]),
        ("<![foo bar]]><a>", ["a"]),
        ("</a title='>'><b>", ["b"]),
        ("<", []),
        ("", []),
    ],
)
def test_finds_the_same_tags_as_browsers(text, names):
    assert [name for name, _ in start_tags(text)] == names


def test_utf8_urls_are_unchanged():
    page = '<a href="/é/€/x.whl">é</a><a href="/&euro;/y.whl">'.encode()
    assert [url for url, _ in read_html(page, URL).links] == [
        "https://example.org/é/€/x.whl",
        "https://example.org/€/y.whl",
    ]


@pytest.mark.parametrize("unit", [b"<a href=x>", b"<a href=x rel=y data-yanked>"])
def test_html_pages_need_little_memory(unit):
    page = b"<base href=/" + b"y" * 10_000 + b"/>" + unit * ((1 << 20) // len(unit))
    assert peak(lambda: read_html(page, URL)) < 80 << 20


@pytest.mark.parametrize(
    "body",
    [
        b"[" * (1 << 20),
        b'{"files":[' + b"[]," * (1 << 20),
        b'{"files":[' + b"{}," * (1 << 20),
        b'{"files":[[' + b"[]," * (1 << 20),
        b'{"meta":' + b'{"a":' * (1 << 20),
        b'{"versions":[' + b'"",' * (1 << 20),
        pytest.param(
            b'{"files":[' + b'{"filename":"a-1.tar.gz","url":"x"},' * 100_000, marks=pytest.mark.long
        ),
        pytest.param(b"{" + b'"a":1,' * (1 << 18), marks=pytest.mark.long),
        b"9" * (1 << 20),
        b'{"files":' + b" " * (4 << 20),
    ],
    ids=range(10),
)
def test_json_pages_need_little_memory(body):
    assert peak(lambda: sum(1 for _ in ProjectDocument(body, URL).files())) < 60 << 20


def peak(work):
    """The most bytes that are allocated at once while some work is done, which may fail with `ValueError`."""
    assert callable(work)
    tracemalloc.start()
    try:
        work()
    except (ValueError, RecursionError):
        pass
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return most


def document(count):
    """The page of a project with so many files."""
    files = [
        {"filename": f"sample-{number}.0.tar.gz", "url": f"/é€😀/{number}", "hashes": {}, "size": number}
        for number in range(count)
    ]
    return {"meta": {"api-version": "1.4"}, "name": "sample", "files": files, "versions": ["1"] * count}


@pytest.mark.parametrize("count", [0, 1, 5, 5000])
@pytest.mark.parametrize("indent", [None, 3])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_large_json_page_is_read_completely(count, indent, ascii_only):
    body = json.dumps(document(count), indent=indent, ensure_ascii=ascii_only).encode()
    found = list(ProjectDocument(body, URL).files())
    assert [(file.filename, file.size) for file in found] == [
        (f"sample-{number}.0.tar.gz", number) for number in range(count)
    ]
    assert all("/é€😀/" in file.url for file in found)


@pytest.mark.parametrize("cut", [1, 2, 3, 10, 100, 1000, 70_000])
def test_truncated_json_page_is_an_error(cut):
    body = json.dumps(document(2000)).encode()
    with pytest.raises(ValueError):
        list(ProjectDocument(body[:-cut], URL).files())


@pytest.mark.parametrize(
    "body",
    [
        *("", "[]", "{", "{}x", "{]", "{1:2}", "1", "{} {}"),
        '{"files":[]}',
        '{"meta":{"api-version":"1"}}',
        '{"a" 1}',
        '{"files":[1 2]}',
        '"x"',
    ],
)
def test_invalid_json_page_is_an_error(body):
    with pytest.raises(ValueError):
        list(ProjectDocument(body.encode(), URL).files())


def test_reads_names_of_many_projects():
    names = [f"project-{number}" for number in range(50_000)]
    body = {"meta": {"api-version": "1.0"}, "projects": [{"name": name, "_last": 1} for name in names]}
    assert [name for name, _ in read_names(json.dumps(body).encode())] == names
