"""Answers that no honest server gives, by name: for any request, for pages of an index, and for files."""

import gzip
import json
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat

from tests.servers.raw import RESET, Asked, answer

Blocks = Iterable[object]
Hostile = Callable[[Asked], Blocks]

JSON = "application/vnd.pypi.simple.v1+json"
MIB = 1 << 20
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PATIENCE = 0.05


def _drip(blocks: Iterable[bytes], pause: float = PATIENCE) -> Iterator[bytes]:
    for block in blocks:
        time.sleep(pause)
        yield block


def _then_silence(*blocks: bytes) -> Iterator[bytes]:
    yield from blocks
    for _ in range(200):
        time.sleep(PATIENCE)
        yield b""


def _status(line: str, *headers: str, body: bytes = b"no") -> Hostile:
    return lambda _: [answer(body, *headers, status=line)]


def _bytes(*blocks: object) -> Hostile:
    return lambda _: blocks


def _retry_after(value: str) -> Hostile:
    return _status("429 Too Many Requests", f"Retry-After: {value}")


def _moved(location: str) -> Hostile:
    return _status("302 Found", f"Location: {location}")


def _gzipped(body: bytes, encoding: str = "gzip") -> Hostile:
    return _bytes(answer(body, f"Content-Encoding: {encoding}", kind=JSON))


BOMB = gzip.compress(bytes(MIB)) * 256

ANY: dict[str, Hostile] = {
    "nothing": _bytes(),
    "a reset": _bytes(RESET),
    "garbage": _bytes(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 50),
    "NULs": _bytes(b"\0" * 10_000),
    "a line that does not end": lambda _: chain([b"HTTP/1.1 200 "], repeat(b"O" * 65536)),
    "a status line of 70 kB": _bytes(b"HTTP/1.1 200 " + b"O" * 70_000 + b"\r\n\r\n"),
    "HTTP 9.9": _bytes(b"HTTP/9.9 200 OK\r\n\r\n"),
    "a status that is no number": _bytes(b"HTTP/1.1 abc OK\r\n\r\n"),
    "a status of five digits": _bytes(b"HTTP/1.1 99999 OK\r\n\r\n"),
    "a negative status": _bytes(b"HTTP/1.1 -200 OK\r\n\r\n"),
    "status 0": _bytes(b"HTTP/1.1 000 OK\r\n\r\n"),
    "status 600": _status("600 What"),
    "status 999": _status("999 No"),
    "headers that do not end": lambda _: chain([OK], repeat(b"X-A: " + b"b" * 60_000 + b"\r\n")),
    "headers that drip": lambda _: _drip(chain([OK], [b"X"] * 200)),
    "150 headers": _bytes(OK + b"X-A: b\r\n" * 150 + b"\r\n"),
    "a header of 100 kB": _bytes(OK + b"X-A: " + b"b" * 100_000 + b"\r\n\r\n"),
    "headers without colons": _bytes(OK + b"nonsense\r\n\xff\xfe\r\n\r\nbody"),
    "100 Continue without end": lambda _: repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "100 Continue now and then": lambda _: _drip([b"HTTP/1.1 100 Continue\r\n\r\n"] * 200),
    "103 and no more": _bytes(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "101": _bytes(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
    "a status that drips": lambda _: _drip([b"H"] * 200),
    "silence": lambda _: _then_silence(b""),
    "silence after the status": lambda _: _then_silence(OK),
    "silence after the headers": lambda _: _then_silence(OK + b"Content-Length: 1000\r\n\r\n"),
    "a reset after the headers": _bytes(OK + b"Content-Length: 1000\r\n\r\n", RESET),
    "half a body": _bytes(answer(b"{", length=1000, kind=JSON)),
    "a negative length": _bytes(OK + b"Content-Length: -5\r\n\r\nbody"),
    "a length of 400 digits": _bytes(OK + b"Content-Length: " + b"9" * 400 + b"\r\n\r\nbody"),
    "a length of 5000 digits": _bytes(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nbody"),
    "a length that is no number": _bytes(OK + b"Content-Length: soon\r\n\r\nbody"),
    "two lengths": _bytes(OK + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\nbody"),
    "a chunk without size": _bytes(CHUNKED + b"soon\r\nbody\r\n"),
    "a chunk of negative size": _bytes(CHUNKED + b"-1\r\nbody\r\n"),
    "a chunk of enormous size": _bytes(CHUNKED + b"f" * 60 + b"\r\nbody\r\n"),
    "a chunk whose size does not end": lambda _: chain([CHUNKED], repeat(b"0" * 65536)),
    "chunks that do not end": lambda _: chain([CHUNKED], repeat(b"10000\r\n" + b"x" * 65536 + b"\r\n")),
    "chunks of one byte": lambda _: chain([CHUNKED], repeat(b"1\r\nx\r\n" * 10_000)),
    "chunks that are cut": _bytes(CHUNKED + b"5\r\nab"),
    "trailers that do not end": lambda _: chain([CHUNKED + b"0\r\n"], repeat(b"X-A: b\r\n" * 1000)),
    "a body that does not end": lambda _: chain([OK + b"\r\n"], repeat(b"x" * MIB)),
    "a body that drips": lambda _: _drip(chain([answer(length=10_000, kind=JSON)], [b" "] * 200)),
    "a gzip bomb": _gzipped(BOMB),
    "a gzip bomb in another": _gzipped(gzip.compress(BOMB), "gzip, gzip"),
    "no gzip": _gzipped(b"{}"),
    "half of a gzip file": _gzipped(gzip.compress(b"{}" * 5000)[:-9]),
    "another compression": _gzipped(b"{}", "br"),
    "a compression of 5000 characters": _gzipped(b"{}", "x" * 5000),
    "204": _status("204 No Content"),
    "205": _status("205 Reset Content", body=b""),
    "206 without a range": _status("206 Partial Content", "Content-Range: bytes 5-9/10"),
    "300": _status("300 Multiple Choices"),
    "304": _status("304 Not Modified", body=b""),
    "a redirect to nowhere": _status("302 Found"),
    "a redirect to itself": lambda asked: [answer(b"", f"Location: {asked.path}", status="301 Moved")],
    "redirects that grow": lambda asked: [answer(b"", f"Location: {asked.path}a/sample/", status="307 T")],
    "a redirect to 60 kB": _moved("/" + "a" * 60_000 + "/sample/"),
    "a redirect to what is no address": _moved("http://[::1/simple/"),
    "a redirect to port 99999": _moved("http://127.0.0.1:99999/"),
    "a redirect to port 1": _moved("http://127.0.0.1:1/simple/sample/"),
    "a redirect to a file": _moved("file:///etc/passwd"),
    "a redirect to a script": _moved("javascript:alert(1)"),
    "a redirect with a password": _moved("http://me:secret@127.0.0.1:1/sample/"),
    "a redirect with control characters": _moved("/\x1b]0;x\x07/sample/"),
    "a redirect in no encoding": _moved("/\xff\xfe/sample/"),
    "a redirect whose body does not end": lambda _: chain(
        [b"HTTP/1.1 302 F\r\nLocation: /x/sample/\r\n\r\n"], repeat(b"x" * MIB)
    ),
    "401": _status("401 Unauthorized", 'WWW-Authenticate: Basic realm="\xff"'),
    "401 whose body does not end": lambda _: chain([b"HTTP/1.1 401 U\r\n\r\n"], repeat(b"x" * MIB)),
    "402": _status("402 Payment Required"),
    "403 in HTML": _bytes(answer(b"<title>" * 5000, status="403 Forbidden", kind="text/html")),
    "407": _status("407 Proxy Authentication Required"),
    "408": _status("408 Request Timeout"),
    "413": _status("413 Too Large"),
    "418": _status("418 Teapot"),
    "425": _status("425 Too Early"),
    "451": _status("451 Unavailable For Legal Reasons"),
    "500 whose body does not end": lambda _: chain([b"HTTP/1.1 500 E\r\n\r\n"], repeat(b"x" * MIB)),
    "502 in HTML": _bytes(answer(b"<html>" * 5000, status="502 Bad Gateway", kind="text/html")),
    "503": _status("503 Unavailable"),
    "to wait for 400 digits": _retry_after("9" * 400),
    "to wait for 5000 digits": _retry_after("9" * 5000),
    "to wait for nan": _retry_after("nan"),
    "to wait for ever": _retry_after("inf"),
    "to wait for a negative time": _retry_after("-5"),
    "to wait till 9999": _retry_after("Fri, 31 Dec 9999 23:59:59 GMT"),
    "to wait till no date": _retry_after("Mon, 99 Foo 99999 99:99:99 +99999999"),
    "to wait for a superscript": _retry_after("\xb2"),
    "to wait for nothing": _retry_after(""),
    "no media type": _bytes(OK + b"Content-Length: 2\r\n\r\n{}"),
    "a media type of 9 kB": _bytes(answer(b"{}", kind="x/" + "y" * 9000)),
    "a media type in no encoding": _bytes(answer(b"{}", kind="\xff/\xfe; charset=\xff")),
    "an empty body": _bytes(answer(b"", kind=JSON)),
    "UTF-16": _bytes(answer("<html>{}".encode("utf-16"), kind="text/html; charset=utf-16")),
    "no UTF-8": _bytes(answer(b'{"meta":"\xff\xfe"}', kind=JSON)),
    "words that steer the terminal": _status("400 \x1b]0;x\x07", body=b"\x1b[2J\x1b]0;owned\x07"),
}
"""To whatever is asked for."""


def _json(body: str | bytes) -> Hostile:
    return _bytes(answer(body.encode() if isinstance(body, str) else body, kind=JSON))


def _html(body: str | bytes) -> Hostile:
    return _bytes(answer(body.encode() if isinstance(body, str) else body, kind="text/html"))


def _file(**values: object) -> Hostile:
    entry = {"filename": "sample-1.0-py3-none-any.whl", "url": "/file", "hashes": {}, **values}
    return _json(json.dumps({"meta": {"api-version": "1.0"}, "name": "sample", "files": [entry]}))


def _much(head: bytes, unit: bytes, size: int, kind: str = JSON) -> Hostile:
    """A body of many equal parts, which is made when it is asked for."""
    return lambda _: [answer(head + unit * (size // len(unit)), kind=kind)]


PAGES: dict[str, Hostile] = {
    "JSON nested without end": _much(b"", b"[", 16 * MIB),
    "objects nested without end": _much(b"", b'{"files":', 16 * MIB),
    "a list of lists": _much(b'{"files":[', b"[],", 30 * MIB),
    "a list in a list": _much(b'{"files":[[', b"[],", 30 * MIB),
    "a list of empty objects": _much(b'{"files":[', b"{},", 30 * MIB),
    "half a million files": _much(b'{"files":[', b'{"filename":"sample-1.tar.gz","url":"x"},', 30 * MIB),
    "versions without end": _much(b'{"versions":[', b'"",', 30 * MIB),
    "keys without end": _much(b"{", b'"a":1,', 30 * MIB),
    "a filename of 20 MiB": _much(b'{"files":[{"filename":"', b"a", 20 * MIB),
    "white space": _much(b"{", b" ", 30 * MIB),
    "a page of 40 MiB": _much(b"{", b" ", 40 * MIB),
    "a page of 250 MiB": lambda _: chain([answer(kind=JSON, length=250 * MIB)], repeat(b" " * MIB, 250)),
    "a number of 5000 digits": _json('{"meta":{"api-version":' + "9" * 5000 + "}}"),
    "a version of 5000 digits": _json('{"meta":{"api-version":"' + "9" * 5000 + '"},"files":[]}'),
    "1e999999": _json('{"meta":{"api-version":1e999999},"files":[]}'),
    "NaN": _json('{"meta":{"api-version":NaN},"files":[]}'),
    "a list": _json("[]"),
    "null": _json("null"),
    "files that are no list": _json('{"meta":{"api-version":"1.0"},"files":{}}'),
    "a later version": _json('{"meta":{"api-version":"2.0"},"files":[]}'),
    "half a surrogate in a name": _file(filename="sample-1.0-py3-none-\ud800any.whl"),
    "half a surrogate in an address": _file(url="/\ud800"),
    "half a surrogate in a reason": _file(yanked="\ud800"),
    "a NUL in a name": _file(filename="sample-1.0-py3-none-any.whl\0.exe"),
    "a path as a name": _file(filename="../../sample-1.0-py3-none-any.whl"),
    "an address that is none": _file(url="http://[x"),
    "an address of a file": _file(url="file:///etc/passwd"),
    "an address of 1 MB": _file(url="/" + "a" * 1_000_000),
    "a size below zero": _file(size=-1),
    "an enormous size": _file(size=10**30),
    "digests that are none": _file(hashes={"sha256": "x" * 64, "md5": 5}),
    "a login page": _html("<html><form><input name=password></form>"),
    "text": _html("sample"),
    **{
        f"HTML of {unit!r}": _much(b"<html>Links for ", unit, 4 * MIB, "text/html")
        for unit in (
            b"<!--",
            b"<!---->",
            b"<![CDATA[",
            b"<!DOCTYPE",
            b"<?",
            b"<a ",
            b"<a b='",
            b"</a",
            b"&",
            b"\0",
        )
    },
    "links without end": _much(b"<html>", b"<a href=x>", 30 * MIB, "text/html"),
    "a long base": _much(b"<base href=/" + b"a" * 100_000 + b"/>", b"<a href=x>", MIB, "text/html"),
    "a fragment without end": _much(b"<a href='sample-1.tar.gz#", b"a=1&", 20 * MIB, "text/html"),
    "elements without end": _much(b"<html>", b"<div>", 30 * MIB, "text/html"),
}
"""In the place of the page of a project."""

FILES: dict[str, Hostile] = {
    "other bytes": _bytes(answer(b"PK" + b"x" * 998)),
    "more bytes": lambda _: chain([OK + b"\r\nPK"], repeat(b"x" * MIB)),
    "a page": _html("<html>Log in</html>"),
    "416": _status("416 Range Not Satisfiable"),
    "half, then another half": lambda asked: (
        [answer(b"PK" + b"x" * 400, length=1000)]
        if "range" not in asked.headers
        else [answer(b"y" * 10, "Content-Range: bytes 2-11/1000", status="206 Partial Content")]
    ),
    "half, then the whole of another": lambda asked: (
        [answer(b"PK" + b"x" * 400, length=1000)]
        if "range" not in asked.headers
        else [answer(b"PK" + b"y" * 998)]
    ),
    "half, then 416": lambda asked: (
        [answer(b"PK" + b"x" * 400, length=1000)]
        if "range" not in asked.headers
        else [answer(b"", status="416 Range Not Satisfiable")]
    ),
    "half, then an endless range": lambda asked: (
        [answer(b"PK" + b"x" * 400, length=1000)]
        if "range" not in asked.headers
        else chain([b"HTTP/1.1 206 P\r\nContent-Range: bytes 402-999/1000\r\n\r\n"], repeat(b"x" * MIB))
    ),
}
"""In the place of a file."""
