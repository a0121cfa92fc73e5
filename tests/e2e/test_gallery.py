"""A gallery of errors: each error class as a user sees it, with its message, its place and its hint.

Run ``pytest tests/e2e/test_gallery.py -s`` to proof-read all of them after changing a message.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.language import banned_words
from tests.servers.process import free_port
from tests.servers.pypi import TOKEN, PyPI
from tests.servers.pypi_troubles import Trouble
from tests.servers.web import Web

import wheelrelay
from wheelrelay import Remote, Route, WheelrelayError, errors
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.http.limits import override_timeout
from wheelrelay.plugins import find_plugin, installed_plugins
from wheelrelay.testing import ThreadEngine, make_sdist, make_wheel, stage_path

WHEEL = "sample-1.0-py3-none-any.whl"


@dataclass(frozen=True)
class Scene:
    """The servers and the folder for the errors.

    Attributes:
        folder: the working directory.
        web: a web server.
        pypi: an index, with a token in the environment.
    """

    folder: Path
    web: Web
    pypi: PyPI

    @property
    def dist(self):
        """A release of one wheel and one sdist."""
        folder = self.folder / "dist"
        make_wheel(folder)
        make_sdist(folder)
        return folder

    def configure(self, text):
        (self.folder / "wheelrelay.toml").write_text(text)
        return wheelrelay.load_config(self.folder / "wheelrelay.toml")

    def page(self, *links):
        return "listing+" + self.web.serve("/", "".join(f'<a href="{link}">x</a>' for link in links))

    def relay(self, source, **options):
        out = str(self.folder / "out")
        return wheelrelay.relay(Route(source=str(source), sinks=[out], **options), ["sample"])

    def install(self, package, name, code=""):
        """An installed distribution that provides a backend of a group of this test's own."""
        info = self.folder / "site" / f"{package}-2.5.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.5\n")
        (info / "entry_points.txt").write_text(f"[{self.group}]\n{name} = {package}:Config\n")
        (self.folder / "site" / f"{package}.py").write_text(code)

    @property
    def group(self):
        return f"gallery.{self.folder.name}"


@pytest.fixture
def scene(tmp_path, web, pypi, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("WHEELRELAY_WAREHOUSE_TOKEN", TOKEN)
    return Scene(tmp_path, web, pypi)


def cannot_be_written(scene):
    scene.relay(scene.dist)
    wheelrelay.relay(
        Route(source=str(scene.dist), sinks=["./other"]), receipt=scene.folder / "no" / "receipt.json"
    )


def wrong_key(scene):
    scene.configure('[remotes.staging]\ntype = "directory"\npth = "dist"\n').remote("staging")


def unknown_backend(scene):
    scene.configure('[remotes.staging]\ntype = "dirctory"\npath = "dist"\n').remote("staging")


def unknown_engine(scene):
    scene.configure('[engines.farm]\ntype = "spark"\n').engine("farm")


def engine_without_workers(scene):
    with ThreadEngine() as engine:
        engine.fail("The scheduler at tls://scheduler:8786 cannot be reached.")
        engine.workers()


def lost_worker(scene):
    with ThreadEngine(1) as engine:
        engine.submit(print, "worker-2", print).result()


def duplicate_backend(scene):
    scene.install("one", "webdav")
    scene.install("two", "webdav")
    installed_plugins(scene.group)


def broken_plugin(scene):
    scene.install("broken_gallery", "broken", "import no_such_module")
    find_plugin(scene.group, "broken").load()


def missing_secret(scene):
    addresses = {"url": scene.pypi.simple_url, "upload_url": scene.pypi.upload_url}
    remote = Remote("box", IndexConfig(**addresses, token={"env": "BOX"}))
    wheelrelay.relay(Route(source=str(scene.dist), sinks=[remote]))


def several_versions(scene):
    make_wheel(scene.dist, "sample", "1.1")
    scene.relay(scene.folder / "dist")


def invalid_filename(scene):
    wheelrelay.dist_file("../sample-1.0-py3-none-any.whl")


def nothing_matched(scene):
    wheelrelay.list_files(str(scene.dist), ["smaple"])


def not_an_index(scene):
    scene.web.serve("/simple/sample/", b"{}", content_type="text/plain")
    wheelrelay.list_files(f"index+{scene.web.url}simple/", ["sample"])


def not_found(scene):
    wheelrelay.list_files(f"listing+{scene.web.url}nowhere/")


def already_exists(scene):
    with DirectoryConfig(path=scene.folder / "box").open() as box:
        box.put(stage_path(make_wheel(scene.folder / "one")))
        box.put(stage_path(make_wheel(scene.folder / "two", payload=b"other")))


def authentication_failed(scene):
    scene.web.serve("/private/", status=401)
    wheelrelay.list_files(f"listing+{scene.web.url}private/")


def permission_denied(scene):
    scene.web.serve("/private/", status=403)
    wheelrelay.list_files(f"listing+{scene.web.url}private/")


def rejected(scene):
    config = IndexConfig(url=scene.pypi.simple_url, upload_url=scene.pypi.upload_url)
    with Remote("warehouse", config).open() as index:
        index.put(stage_path(make_wheel(scene.folder, metadata={"Classifier": ["Nonsense :: Yes"]})))


def unavailable(scene):
    wheelrelay.list_files(f"listing+http://127.0.0.1:{free_port()}/")


def timed_out(scene):
    scene.web.serve("/simple/sample/", "<html>", delay=5)
    override_timeout(0.2)
    try:
        wheelrelay.list_files(f"index+{scene.web.url}simple/", ["sample"])
    finally:
        override_timeout(None)


def damaged(scene):
    scene.web.serve(f"/{WHEEL}", b"PK and nothing that makes a wheel")
    scene.relay(scene.page(WHEEL))


def cut_off(scene):
    content = make_wheel(scene.folder).read_bytes()
    scene.web.serve(f"/{WHEEL}", content, cut_after=100)
    with wheelrelay.config.as_remote(scene.page(WHEEL)).open() as place:
        [file] = place.iter_files("sample")
        with place.open(file) as stream:
            while stream.read(1 << 20):
                pass


def exchanged(scene):
    scene.web.serve(f"/{WHEEL}", make_wheel(scene.folder))
    scene.relay(scene.page(f"{WHEEL}#sha256={'0' * 64}"))


def touched(scene):
    staged = stage_path(make_wheel(scene.folder))
    staged.path.write_bytes(b"PK something else")
    with DirectoryConfig(path=scene.folder / "box").open() as box:
        box.put(staged)


def refused(scene):
    wheelrelay.relay(Route(source=str(scene.dist), sinks=["./out"]), approve=lambda _: False)


def conflict(scene):
    make_wheel(scene.folder / "out", payload=b"other")
    scene.relay(scene.dist)


def incomplete(scene):
    make_wheel(scene.folder / "dist", tag="cp313-cp313-win_amd64")
    scene.relay(scene.folder / "dist", expect={"wheels": ["cp{313,314}-*-win_amd64"]})


def check_failed(scene):
    make_wheel(scene.folder / "dist", metadata={"Name": "another"})
    scene.relay(scene.folder / "dist")


def relay_failed(scene):
    scene.pypi.trouble(WHEEL, Trouble(status=400, words="The name is too similar to another."))
    config = IndexConfig(url=scene.pypi.simple_url, upload_url=scene.pypi.upload_url)
    wheelrelay.relay(Route(source=str(scene.dist), sinks=[Remote("warehouse", config)]))


GALLERY = {
    "WheelrelayError": (cannot_be_written, "receipt.json"),
    "ConfigError": (wrong_key, "wheelrelay.toml: remotes.staging"),
    "UnknownBackend": (unknown_backend, "dirctory"),
    "UnknownEngine": (unknown_engine, "spark"),
    "EngineFailed": (engine_without_workers, "tls://scheduler:8786"),
    "WorkerLost": (lost_worker, "worker-2"),
    "DuplicateBackend": (duplicate_backend, "Both one and two"),
    "PluginLoadError": (broken_plugin, "broken_gallery"),
    "MissingSecret": (missing_secret, "BOX"),
    "SeveralVersions": (several_versions, "1.0, 1.1"),
    "InvalidFilename": (invalid_filename, "../sample"),
    "NothingMatched": (nothing_matched, "smaple"),
    "BackendError": (not_an_index, "/simple/sample/"),
    "NotFound": (not_found, "/nowhere/"),
    "AlreadyExists": (already_exists, WHEEL),
    "AuthenticationFailed": (authentication_failed, "/private/"),
    "PermissionDenied": (permission_denied, "/private/"),
    "Rejected": (rejected, "/legacy/"),
    "Unavailable": (unavailable, "127.0.0.1"),
    "TimedOut": (timed_out, "/simple/sample/"),
    "IntegrityError": (damaged, WHEEL),
    "SizeMismatch": (cut_off, WHEEL),
    "DigestMismatch": (exchanged, WHEEL),
    "ChangedWhileReading": (touched, WHEEL),
    "ReleaseRefused": (refused, "nothing was published"),
    "Conflict": (conflict, WHEEL),
    "Incomplete": (incomplete, "cp314-*-win_amd64"),
    "CheckFailed": (check_failed, WHEEL),
    "RelayFailed": (relay_failed, "too similar"),
}
"""How to raise each error, and a part of its message that names the place."""


ODD = ("None", "Traceback", "<class", "object at 0x", "Finding(", "\N{REPLACEMENT CHARACTER}")
"""Parts of messages that no user should see."""

ADVICE = ("Did you mean",)
"""Parts of messages that name a remedy."""


def shown(error):
    """Return the message of an error and its findings."""
    findings = [
        f"{one.filename or 'the release'}: {one.message} {one.hint or ''}"
        for one in getattr(error, "findings", ())
    ]
    return "\n  ".join([str(error), *findings])


def test_gallery_has_every_error():
    tree = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert {kind.__name__ for kind in tree} == set(GALLERY)


@pytest.mark.parametrize("name", GALLERY)
def test_error_names_place_and_remedy(scene, name):
    meet, where = GALLERY[name]
    with pytest.raises(WheelrelayError) as met:
        meet(scene)
    error = met.value
    text = shown(error)
    print(f"\n{name}\n  {text}")
    assert next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__) == name
    assert where in text
    assert text.endswith((".", "?"))
    assert all(line.isprintable() for line in text.splitlines())
    assert not any(odd in text for odd in ODD)
    hints = [error.hint, *(finding.hint for finding in getattr(error, "findings", ()))]
    assert any(hints) or any(words in text for words in ADVICE), "the error has no hint"
    assert [*banned_words(text)] == []
