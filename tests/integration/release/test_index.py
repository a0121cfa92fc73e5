"""The test index answers uploads like PyPI, also those of other clients."""

import hashlib
import html
import subprocess
import sys

import pytest
import requests
from tests.servers.pypi import TOKEN
from tests.servers.pypi_troubles import Trouble

from wheelrelay.testing import make_sdist, make_wheel

WHEEL = "sample-1.0-py3-none-any.whl"


def form_of(path, **changes):
    """Return the form fields of an upload."""
    content = path.read_bytes()
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": "sample",
        "version": "1.0",
        "filetype": "bdist_wheel" if path.suffix == ".whl" else "sdist",
        "pyversion": path.name.split("-")[-3] if path.suffix == ".whl" else "source",
        "sha256_digest": hashlib.sha256(content).hexdigest(),
    }
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


@pytest.fixture
def send(pypi):
    """Return a function that uploads a file and returns the response."""

    def post(path, filename=None, password=TOKEN, **changes):
        return requests.post(
            pypi.upload_url,
            data=form_of(path, **changes),
            files={"content": (filename or path.name, path.read_bytes())},
            auth=("__token__", password),
            timeout=30,
        )

    return post


@pytest.fixture
def wheel(tmp_path):
    return make_wheel(tmp_path)


def test_accepts_uploads_of_twine(pypi, tmp_path):
    paths = [make_wheel(tmp_path), make_sdist(tmp_path)]
    command = [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"]
    account = ["-u", "__token__", "-p", TOKEN, "--repository-url", pypi.upload_url]
    done = subprocess.run([*command, *account, *map(str, paths)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert pypi.digests() == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({":action": "submit"}, "protocol version"),
        ({"metadata_version": "2.6"}, "metadata version"),
        ({"version": "1.0+local"}, "local versions"),
        ({"filetype": "bdist_egg"}, "filetype"),
        ({"pyversion": "source"}, "pyversion"),
        ({"sha256_digest": None}, "at least one message digest"),
        ({"sha256_digest": "0" * 64}, "does not match"),
        ({"md5_digest": "0" * 32}, "does not match"),
        ({"blake2_256_digest": "0" * 64}, "does not match"),
        ({"summary": "x" * 513}, "summary"),
        ({"summary": "two\nlines"}, "summary"),
        ({"classifiers": "Topic :: Cheese"}, "not a valid classifier"),
        ({"requires_dist": "other @ https://example.org/other-1.0.tar.gz"}, "direct dependency"),
        ({"license": "MIT", "license_expression": "MIT"}, "exclude each other"),
        ({"name": "other"}, "Start filename"),
        ({"version": "2.0"}, "Version in filename"),
        ({"filename": "sample-1.0-py3-none-linux_x86_64.whl"}, "unsupported platform tag"),
        ({"filename": "sample-1.0.whl"}, "Invalid filename"),
        ({"filename": "Sample-1.0-py3-none-any.whl"}, "Start filename"),
        ({"filename": "../sample-1.0-py3-none-any.whl"}, "path in its name"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_refuses_invalid_form(pypi, send, wheel, changes, words):
    response = send(wheel, **changes)
    assert response.status_code == 400
    assert words in response.reason
    assert f"<h1>400 {response.reason}</h1>" in html.unescape(response.text)
    assert pypi.files == {}


def test_refuses_file_that_is_no_archive(send, tmp_path):
    path = tmp_path / WHEEL
    path.write_bytes(b"PK but no wheel")
    assert send(path).status_code == 400
    path.write_bytes(make_sdist(tmp_path).read_bytes())
    assert send(path).status_code == 400


def test_refuses_too_large_file(pypi, send, wheel):
    pypi.max_file_size = 100
    assert "too large" in send(wheel).reason


def test_refuses_wrong_credentials(pypi, send, wheel):
    assert send(wheel, password="pypi-wrong").status_code == 403
    assert (
        requests.post(pypi.upload_url, data=form_of(wheel), files={"content": b""}, timeout=30).status_code
        == 403
    )


def test_accepts_identical_file_again(pypi, send, wheel):
    assert send(wheel).status_code == 200
    before = dict(pypi.files)
    assert send(wheel).status_code == 200
    assert pypi.files == before


def test_refuses_existing_name_and_existing_content(pypi, send, wheel, tmp_path):
    assert send(wheel).status_code == 200
    other = make_wheel(tmp_path / "other", payload=b"other")
    copy = wheel.rename(wheel.with_name("sample-1.0-py2-none-any.whl"))
    for response in (send(other), send(copy)):
        assert response.status_code == 400
        assert response.reason.startswith("File already exists")
        assert WHEEL in response.reason


def test_refuses_name_of_deleted_file(pypi, send, wheel):
    assert send(wheel).status_code == 200
    pypi.delete(WHEEL)
    response = send(wheel)
    assert response.status_code == 400
    assert "previously used" in response.reason


def test_refuses_upload_after_fourteen_days(pypi, send, wheel, tmp_path):
    assert send(wheel).status_code == 200
    sdist = make_sdist(tmp_path)
    pypi.age(days=14, seconds=5)
    assert "14 days" in send(sdist).reason
    pypi.age(days=-1)
    assert send(sdist).status_code == 200


def test_refuses_second_sdist(send, tmp_path):
    assert send(make_sdist(tmp_path)).status_code == 200
    second = make_sdist(tmp_path, payload=b"x")
    assert send(second.rename(tmp_path / "sample-1.0.0.tar.gz"), version="1.0.0").status_code == 400


@pytest.mark.parametrize("status", ["quarantined", "archived"])
def test_refuses_upload_to_closed_project(pypi, send, wheel, status):
    pypi.statuses["sample"] = status
    assert send(wheel).status_code == 403


def test_faults_occur_before_or_after_a_file_is_stored(pypi, send, wheel):
    pypi.trouble(WHEEL, Trouble(503), Trouble(429, retry_after="7"), Trouble(503, taken=True))
    assert send(wheel).status_code == 503
    assert send(wheel).headers["Retry-After"] == "7"
    assert pypi.files == {}
    assert send(wheel).status_code == 503
    assert list(pypi.files) == [WHEEL]


@pytest.mark.parametrize(
    "trouble",
    [Trouble(None), Trouble(None, taken=True), Trouble(in_body=500)],
    ids=["before", "after", "within"],
)
def test_resets_connections(pypi, send, wheel, trouble):
    pypi.trouble("", trouble)
    with pytest.raises(requests.ConnectionError):
        send(wheel)
    assert bool(pypi.files) is trouble.taken
    assert pypi.uploads[0].status is None


def test_serves_json_pages_that_may_lag(pypi, send, wheel):
    page = f"{pypi.simple_url}sample/"
    pypi.lag = 600
    assert send(wheel).status_code == 200
    assert requests.get(page, timeout=30).status_code == 404
    pypi.show_all()
    pypi.yank(WHEEL, "It eats files.")
    response = requests.get(page, timeout=30)
    assert response.headers["Content-Type"] == "application/vnd.pypi.simple.v1+json"
    document = response.json()
    assert document["meta"]["api-version"] == "1.4"
    assert document["project-status"] == {"status": "active"}
    [file] = document["files"]
    assert (file["size"], file["yanked"]) == (wheel.stat().st_size, "It eats files.")
    assert file["hashes"] == {"sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()}
    assert requests.get(pypi.url + file["url"].lstrip("/"), timeout=30).content == wheel.read_bytes()
    assert requests.get(pypi.simple_url, timeout=30).json()["projects"] == [{"name": "sample"}]
