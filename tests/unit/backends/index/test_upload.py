"""A file goes out once, in one pass, in the form that every kind of index understands."""

import hashlib
import threading
from dataclasses import replace
from email.parser import BytesParser
from email.policy import HTTP

import pytest
from tests.servers.proxy import reset
from tests.servers.web import Web, run_web

from wheelrelay.backends.index.upload import upload
from wheelrelay.backends.index.upload_form import FormBody, form_fields
from wheelrelay.errors import (
    AlreadyExists,
    AuthenticationFailed,
    BackendError,
    ChangedWhileReading,
    NotFound,
    PermissionDenied,
    Rejected,
    Unavailable,
)
from wheelrelay.http import HttpClient
from wheelrelay.model import Companion
from wheelrelay.staged import BLOCK_SIZE
from wheelrelay.testing import make_sdist, make_wheel, stage_path
from wheelrelay.testing.contract_helpers import LARGE, write_distribution

WHEEL = "sample-1.0-cp312-abi3-manylinux_2_17_x86_64.whl"


@pytest.fixture
def staged(tmp_path):
    metadata = {
        "Requires-Python": ">=3.9",
        "Classifier": ["Programming Language :: Python", "Topic :: Utilities"],
        "Requires-Dist": ["numpy>=2", "scipy; extra == 'all'"],
        "Summary": "Räder für alle",
    }
    return stage_path(
        make_wheel(tmp_path, "sample", "1.0", "cp312-abi3-manylinux_2_17_x86_64", metadata=metadata)
    )


@pytest.fixture
def http():
    client = HttpClient()
    yield client
    client.close()


def form_of(request):
    """The fields of a multipart form by name, and the files likewise, read by another parser than ours."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + request.body)
    fields, files = {}, {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if part.get_filename():
            files[name] = (part.get_filename(), part.get_payload(decode=True))
        else:
            fields.setdefault(name, []).append(part.get_payload(decode=True).decode())
    return fields, files


def test_form_has_metadata_digest_and_content(web, http, staged):
    upload(http, web.serve("/legacy/"), staged)
    [request] = web.requests
    assert request.method == "POST"
    fields, files = form_of(request)
    assert fields[":action"] == ["file_upload"]
    assert fields["protocol_version"] == ["1"]
    assert (fields["name"], fields["version"]) == (["sample"], ["1.0"])
    assert (fields["filetype"], fields["pyversion"]) == (["bdist_wheel"], ["cp312"])
    assert fields["sha256_digest"] == [staged.sha256]
    assert fields["requires_python"] == [">=3.9"]
    assert fields["classifiers"] == ["Programming Language :: Python", "Topic :: Utilities"]
    assert fields["requires_dist"] == ["numpy>=2", "scipy; extra == 'all'"]
    assert fields["summary"] == ["Räder für alle"]
    assert files == {"content": (WHEEL, staged.path.read_bytes())}


def test_empty_digests_are_not_sent(staged):
    names = [name for name, _ in form_fields(staged)]
    assert "md5_digest" not in names
    assert "blake2_256_digest" not in names


def test_sends_optional_field_that_some_indexes_require(tmp_path):
    fields = dict(form_fields(stage_path(make_sdist(tmp_path))))
    assert fields["requires_python"] == ""
    assert (fields["filetype"], fields["pyversion"]) == ("sdist", "source")


def test_signature_is_sent_with_its_file(web, http, staged):
    signed = replace(staged, companions=(Companion(".asc", b"signature"), Companion(".sigstore", b"{}")))
    upload(http, web.serve("/legacy/"), signed)
    _, files = form_of(web.requests[0])
    assert files["gpg_signature"] == (f"{WHEEL}.asc", b"signature")


def test_body_has_content_length_and_no_encoding(web, http, staged):
    upload(http, web.serve("/legacy/"), staged)
    [request] = web.requests
    assert int(request.headers["content-length"]) == len(request.body)
    assert "transfer-encoding" not in request.headers


def test_large_file_is_read_once_in_blocks(web, http, tmp_path):
    staged = stage_path(write_distribution(tmp_path, "sample-1.0-py3-none-any.whl", size=LARGE))
    blocks = []
    upload(http, web.serve("/legacy/"), staged.watched_by(blocks.append))
    assert sum(blocks) == staged.size
    assert max(blocks) <= BLOCK_SIZE
    _, files = form_of(web.requests[0])
    assert hashlib.sha256(files["content"][1]).hexdigest() == staged.sha256


@pytest.mark.parametrize("size", [1, 7, 100, BLOCK_SIZE, -1])
def test_body_can_be_read_in_pieces_of_any_size(staged, size):
    fields = form_fields(staged)
    with staged.open() as stream:
        body = FormBody(fields, staged.filename, stream)
        length, content = len(body), bytearray()
        while block := body.read(size):
            content += block
            assert len(body) == length - len(content)
    assert len(content) == length
    assert content.count(staged.path.read_bytes()) == 1
    assert content.endswith(b"--\r\n")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (401, AuthenticationFailed),
        (403, PermissionDenied),
        (404, NotFound),
        (408, Unavailable),
        (409, AlreadyExists),
        (413, Rejected),
        (422, Rejected),
        (429, Unavailable),
        (500, Unavailable),
        (502, Unavailable),
        (503, Unavailable),
    ],
)
def test_response_status_selects_the_error(web, http, staged, status, error):
    web.serve("/legacy/", b"It is so.", status=status, content_type="text/plain")
    with pytest.raises(error) as failed:
        upload(http, web.url + "legacy/", staged)
    assert "It is so" in str(failed.value) or status == 409


def test_retry_after_is_kept(web, http, staged):
    web.serve("/legacy/", b"Slow down.", status=429, headers={"Retry-After": "7"})
    with pytest.raises(Unavailable) as failed:
        upload(http, web.url + "legacy/", staged)
    assert failed.value.retry_after == 7


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_upload_redirect_is_reported_and_not_followed(web, http, staged, status):
    there = web.serve("/there/")
    web.redirect("/legacy/", there, status=status)
    with pytest.raises(Rejected, match="redirects uploads to"):
        upload(http, web.url + "legacy/", staged)
    assert web.paths() == ["/legacy/"]


@pytest.mark.parametrize("there", ["http://[::1/legacy/", "http://127.0.0.1:99999/", "file:///etc/passwd"])
def test_redirect_to_invalid_url_is_an_error(web, http, staged, there):
    web.redirect("/legacy/", there)
    with pytest.raises(BackendError, match=r"redirects to an invalid URL: .*[^.]\.$"):
        upload(http, web.url + "legacy/", staged)


def test_missing_response_leaves_the_result_unknown(http, staged):
    class Silent(Web):
        def answer(self, handler):
            handler.rfile.read(int(handler.headers["Content-Length"]))
            reset(handler)

    with run_web(web=Silent) as web, pytest.raises(Unavailable):
        upload(http, web.url + "legacy/", staged)


def test_changed_file_is_not_sent(web, http, staged):
    staged.path.write_bytes(b"PK other")
    with pytest.raises(ChangedWhileReading):
        upload(http, web.serve("/legacy/"), staged)
    assert web.requests == []


def test_file_that_changes_during_upload_is_not_published(web, http, tmp_path):
    path = write_distribution(tmp_path, "sample-1.0-py3-none-any.whl", size=LARGE)
    touched = threading.Event()

    def touch(_):
        if not touched.is_set():
            touched.set()
            with path.open("ab") as stream:
                stream.write(b"more")

    with pytest.raises(ChangedWhileReading):
        upload(http, web.serve("/legacy/"), stage_path(path).watched_by(touch))
    for cut in web.requests:
        assert len(cut.body) < int(cut.headers["content-length"])


@pytest.mark.parametrize(
    ("name", "content"),
    [("sample-1.0-py3-none-any.whl", b"PK no zip"), ("sample-1.0.tar.gz", b"\x1f\x8b no gzip")],
)
def test_file_without_metadata_is_refused_before_upload(web, http, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Rejected, match="cannot be uploaded"):
        upload(http, web.serve("/legacy/"), stage_path(tmp_path / name))
    assert web.requests == []


def test_metadata_without_required_fields_is_refused_before_upload(web, http, tmp_path):
    path = make_wheel(tmp_path, metadata={"Version": ""})
    with pytest.raises(Rejected, match="cannot be uploaded"):
        upload(http, web.serve("/legacy/"), stage_path(path))
    assert web.requests == []


ANSWERED = "responded to an upload with a web page"
"""Words of the warning about an address that is not that of an upload API."""

SUCCESS = "<html>\n <head>\n  <title>200 OK</title>\n </head>\n <body>\n  <h1>200 OK</h1>\n </body>\n</html>"
"""PyPI's answer to an upload that it accepts."""


@pytest.mark.parametrize(
    ("body", "warned"),
    [
        (SUCCESS, 0),
        ("", 0),
        ("OK", 0),
        ("<!DOCTYPE html><html><head><title>Packages</title></head></html>", 1),
        ("\n<HTML><body>Please log in</body></HTML>", 1),
    ],
    ids=["PyPI", "empty", "text", "page", "login"],
)
def test_warns_if_an_upload_is_answered_by_a_web_page(web, http, tmp_path, caplog, body, warned):
    accepted = upload(http, web.serve("/legacy/", body), stage_path(make_wheel(tmp_path)))
    assert accepted != bool(warned)
    assert [ANSWERED in record.message for record in caplog.records] == [True] * warned
