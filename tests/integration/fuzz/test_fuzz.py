"""Names, pages, documents, configuration, archives and sums files, as nobody would write them."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import strategies as st
from tests.integration.fuzz.conftest import fuzz
from tests.servers.web import run_web

import wheelrelay
from wheelrelay.backends.index.simple_api import JSON_TYPE, SimpleApi
from wheelrelay.backends.web.pages import WebPage, companions_of, links_of, parse_html
from wheelrelay.config import load_config
from wheelrelay.config.pypirc import sections
from wheelrelay.containers.index_pages.json_form import parse_project_json, parse_root_json
from wheelrelay.expect import expected_wheels, from_build_identifiers, parse_sha256sums
from wheelrelay.filenames import dist_file, is_plain, looks_like_distribution, parse_filename, split_companion
from wheelrelay.http import HttpClient
from wheelrelay.select import parse_requirement
from wheelrelay.testing import make_sdist, make_wheel

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]

ODD = st.sampled_from(
    [
        "",
        "\0",
        "\n",
        "\r",
        "\u2028",
        "\ud800",
        "\u0130",
        "\u0660",
        "..",
        "/",
        "\\",
        "C:",
        "%2f",
        "\x1b[2J",
        "é",
    ]
)


def joined(*pieces: str) -> st.SearchStrategy[str]:
    """Texts of these pieces, odd ones, and anything."""
    return st.lists(st.sampled_from(pieces) | ODD | st.text(max_size=4), max_size=14).map("".join)


NAMES = joined(
    *("sample", "Sample.Name", "-", "_", ".", "1.0", "1!2.0.post3.dev4+local", "9" * 30, "cp312", "abi3t"),
    *("py2.py3", "none", "any", "manylinux_2_17_x86_64", "macosx_11_0_universal2", ".whl", ".tar.gz", ".zip"),
    *(".asc", ".metadata", ".sigstore", ".publish.attestation"),
)


@fuzz(NAMES)
def test_filenames(guard, name):
    with guard():
        looks_like_distribution(name)
        split_companion(name)
        parse_filename(name)
        file = dist_file(name)
        assert is_plain(name)
        assert not set(name) & set("/\\\0\n\r")
        assert Path(name).name == name == file.filename


PATTERNS = joined("cp312", "{", "}", ",", "311", "-", "*", "?", "[", "]", "!", "abi3t", "win32", "manylinux*")


@fuzz(PATTERNS, joined("sample", "==", ">=", "1.0", ".*", ",", "[x]", ";", " @ ", "python_version<'3'", "("))
def test_patterns_and_requirements(guard, pattern, requirement):
    for read in (lambda: expected_wheels([pattern]), lambda: from_build_identifiers(pattern)):
        with guard():
            read()
    with guard():
        parse_requirement(requirement)


HTML = joined(
    *(
        "<!DOCTYPE html>",
        "<html>",
        "<!--",
        "-->",
        "<a href='",
        "<a href=",
        "'>",
        "</a>",
        "<base href=",
        "<",
        ">",
    ),
    *("<meta name='pypi:repository-version' content='1.0'>", "<meta name=pypi:repository-version content="),
    *(
        "sample-1.0-py3-none-any.whl",
        "#sha256=",
        "0" * 64,
        "https://example.org/",
        "//[::1",
        "data-yanked=''",
    ),
    *("&#x110000;", "&#0;", "&amp", "<![CDATA[", "]]>", "<?x", "<script>", "data-requires-python='>=3'", "é"),
)

TYPES = st.sampled_from(["text/html", "application/vnd.pypi.simple.v1+html", "", "image/png"])


@fuzz(
    HTML.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=80),
    TYPES,
    examples=[
        (b"<a" * 200_000, "text/html"),
        (b"<!--" * 200_000, "text/html"),
        (b"<a href=x " + b"a=" * 200_000, "text/html"),
    ],
)
def test_pages(guard, body, media_type):
    with guard():
        links = list(links_of(parse_html(WebPage("https://example.org/simple/sample/", media_type, body))))
        companions_of(links)
        assert all(link.url.startswith(("http://", "https://")) for link in links)


@pytest.fixture(scope="module")
def web():
    """A web server that answers with what a test wants."""
    with run_web() as running:
        yield running


@pytest.fixture
def api(web):
    """The Simple API of an index there."""
    return SimpleApi(HttpClient(), f"{web.url}simple/")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NAMES | st.just("0" * 64) | st.just("1.0"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)

FIELDS = st.sampled_from(
    [
        *(
            "filename",
            "url",
            "hashes",
            "sha256",
            "size",
            "yanked",
            "requires-python",
            "upload-time",
            "provenance",
        ),
        *("core-metadata", "dist-info-metadata", "gpg-sig", "version", "etag", "build", "commit"),
    ]
)

DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "meta": st.dictionaries(st.sampled_from(["api-version", "project-status"]), VALUES) | VALUES,
        "name": VALUES,
        "files": st.lists(st.dictionaries(FIELDS, VALUES) | VALUES, max_size=4) | VALUES,
        "projects": st.lists(st.dictionaries(st.just("name"), VALUES) | VALUES, max_size=4) | VALUES,
        "versions": VALUES,
        "project-status": VALUES,
        "_wheelrelay": st.dictionaries(
            st.just("files"), st.lists(st.dictionaries(FIELDS, VALUES), max_size=3)
        ),
    },
)

WRITTEN = (DOCUMENTS | VALUES).map(lambda document: json.dumps(document).encode("utf-8", "surrogatepass"))


@fuzz(
    WRITTEN | st.binary(max_size=40),
    examples=[
        (b"[" * 200_000,),
        (b'{"files": ' + b"[" * 200_000,),
        (b'{"meta": {"api-version": "1.0"}, "files": [{"size": ' + b"9" * 5_000 + b"}]}",),
    ],
)
def test_documents(guard, api, web, body):
    for path in ("/simple/", "/simple/sample/"):
        web.serve(path, body, content_type=JSON_TYPE)
    with guard():
        for file in api.files("sample", fresh=True):
            assert is_plain(file.filename)
    with guard():
        assert all("/" not in name for name in api.projects())
    web.requests.clear()
    for recall in (parse_project_json, parse_root_json):
        with guard():
            for entry in recall(body):
                assert is_plain(entry.filename)


KEYS = st.sampled_from(
    [
        *(
            "type",
            "path",
            "url",
            "upload_url",
            "token",
            "password",
            "pages",
            "retention",
            "keep",
            "max_age",
            "confirm",
        ),
        *(
            "checks",
            "ignore",
            "source",
            "sinks",
            "projects",
            "wheels",
            "sdist",
            "mode",
            "wait",
            "expect",
            "commit",
        ),
        *(
            "cibuildwheel",
            "sha256sums",
            "count",
            "timeout",
            "options",
            "bucket",
            "container",
            "prefix",
            "trust",
        ),
    ]
)

SCALARS = (
    st.sampled_from(
        [
            *(
                "directory",
                "index",
                "pypi",
                "fsspec",
                "listing",
                "mirror",
                "./x",
                "https://example.org/",
                "1d",
            ),
            *("99999999999d", "cp3{11,12}-*-*", "{1,2}" * 25, "s3://[", "memory://x", "x" * 300, "input"),
        ]
    )
    | VALUES
)

TABLES = st.recursive(
    st.dictionaries(KEYS, SCALARS, max_size=5),
    lambda inner: st.dictionaries(KEYS, inner | SCALARS, max_size=4),
    max_leaves=4,
)


def toml(value: object) -> str:
    """A value as TOML, as far as TOML has such values."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(str(key))} = {toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, float):
        return repr(value)
    return '"none"' if value is None else json.dumps(value)


@fuzz(st.dictionaries(joined("here", "a b"), TABLES, max_size=3), TABLES, st.none() | st.text(max_size=60))
def test_configurations(guard, remotes, route, text):
    whole = f"remotes = {toml(remotes)}\nroutes = {toml({'one': route})}\n" if text is None else text
    path = guard.folder / "input" / "wheelrelay.toml"
    path.write_bytes(whole.encode("utf-8", "surrogatepass"))
    with guard():
        config = load_config(path)
        for name in ("here", "one"):
            with guard():
                config.remote(name)
            with guard():
                config.route(name)


@fuzz(
    joined(
        "[pypi]", "[distutils]", "\n", "index-servers =", "    pypi", "username: __token__", "%(x)s", "= x"
    )
)
def test_pypirc(guard, text):
    path = guard.folder / "input" / "pypirc"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    path.chmod(0o600)
    (guard.folder / ".pypirc").unlink(missing_ok=True)
    (guard.folder / ".pypirc").symlink_to(path)
    try:
        with guard():
            sections()
    finally:
        (guard.folder / ".pypirc").unlink()


SUMS = joined(
    "0" * 64, "a" * 63, " ", "  ", " *", "\n", "\r\n", "#", "dist/", "sample-1.0.tar.gz", "SHA256 (", ") = "
)


@fuzz(SUMS, examples=[(("0" * 64 + " ") * 20_000,), ("SHA256 (" * 50_000,), ("SHA256 (" + ") = " * 50_000,)])
def test_sums(guard, text):
    with guard():
        assert all("/" not in name and "\\" not in name for name in parse_sha256sums(text))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The bytes of a wheel."""
    return make_wheel(tmp_path_factory.mktemp("wheel"), "sample", "1.0").read_bytes()


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The bytes of an sdist, and how they unpack."""
    whole = make_sdist(tmp_path_factory.mktemp("sdist"), "sample", "1.0").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        members = [(member, archive.extractfile(member)) for member in archive if member.isfile()]
        return whole, {member.name: content.read() for member, content in members}


CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6)


@fuzz(kind=st.sampled_from(["wheel", "sdist"]), changes=CHANGES, cut=st.floats(0.3, 2))
def test_archives_with_changed_bytes(guard, wheel, sdist, kind, changes, cut):
    body = bytearray(wheel if kind == "wheel" else sdist[0])
    for where, value in changes:
        body[int(where * (len(body) - 1))] = value
    del body[int(cut * len(body)) :]
    name = "sample-1.0-py3-none-any.whl" if kind == "wheel" else "sample-1.0.tar.gz"
    held_to_its_checks(guard, name, bytes(body))


MEMBERS = st.lists(
    st.tuples(
        joined(
            "sample-1.0",
            "sample-1.0.dist-info",
            "/",
            "METADATA",
            "PKG-INFO",
            "WHEEL",
            "RECORD",
            "../",
            "x.py",
        ),
        st.binary(max_size=30) | HTML.map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.sampled_from(
            [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
        ),
    ),
    max_size=5,
)

METADATA = joined(
    "Metadata-Version: 2.1\n", "Name: sample\n", "Version: 1.0\n", "\n", "Summary: ", "Requires-Dist: "
)


@pytest.mark.filterwarnings("ignore:Duplicate name")  # such archives are among those that are tried
@fuzz(kind=st.sampled_from(["wheel", "sdist"]), members=MEMBERS, metadata=METADATA)
def test_archives_with_odd_members(guard, wheel, sdist, kind, members, metadata):
    text = metadata.encode("utf-8", "surrogatepass")
    members = [each for each in members if "\ud800" not in each[0]]  # no archive can hold such a name
    made = io.BytesIO(wheel if kind == "wheel" else b"")
    if kind == "wheel":
        with zipfile.ZipFile(made, "a") as archive:
            for name, content, _ in [*members, ("sample-1.0.dist-info/METADATA2", text, b"")]:
                if name.partition("\0")[0]:  # zipfile cuts names there, and makes nothing of an empty one
                    archive.writestr(name, content)
    else:
        with tarfile.open(fileobj=made, mode="w:gz") as archive:
            whole = {**sdist[1], "sample-1.0/PKG-INFO": text}
            for name, content, kind_of in [
                *members,
                *((name, content, tarfile.REGTYPE) for name, content in whole.items()),
            ]:
                member = tarfile.TarInfo(name or "x")
                member.type, member.size = kind_of, len(content) if kind_of == tarfile.REGTYPE else 0
                member.linkname = "../../outside"
                archive.addfile(member, io.BytesIO(content))
    name = "sample-1.0-py3-none-any.whl" if kind == "wheel" else "sample-1.0.tar.gz"
    held_to_its_checks(guard, name, made.getvalue())


def held_to_its_checks(guard, name: str, body: bytes) -> None:
    """Look through an archive, and make nothing of it outside."""
    path = guard.folder / "input" / name
    path.write_bytes(body)
    with guard():
        for finding in wheelrelay.check([str(path)]):
            assert finding.message
    path.unlink()
    assert not [each for each in (guard.folder / "input").iterdir() if each.suffix not in (".toml", "")]
