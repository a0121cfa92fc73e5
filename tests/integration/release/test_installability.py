"""Releases that installers cannot resolve, or that do not run, are refused before anything is published."""

import sys

import pytest
from tests.servers.indexes import run_pypiserver

import wheelrelay
from wheelrelay.config.smoke import Smoke
from wheelrelay.testing import make_sdist, make_wheel

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
PASSWORD = "not-in-messages"


@pytest.fixture
def dist(tmp_path):
    return tmp_path / "dist"


@pytest.fixture
def index(open_pypiserver):
    return wheelrelay.IndexConfig(
        type="index", url=open_pypiserver.simple_url, upload_url=open_pypiserver.upload_url
    )


@pytest.fixture
def publish(dist):
    """A function that publishes the release in ``dist``, and returns its findings by check."""

    def relay(sink, **options):
        route = wheelrelay.Route(source=str(dist), sinks=[sink], **options)
        try:
            receipt = wheelrelay.relay(route)
        except wheelrelay.ReleaseRefused as error:
            receipt = error.receipt
            assert not receipt.has_changes
        return {finding.check: finding.message for finding in receipt.findings}

    return relay


def smoke(*code, **options):
    return Smoke(python=[VERSION], run=["python", "-c", *code], **options)


def test_a_dependency_that_is_not_published_is_refused(dist, index, publish):
    make_wheel(dist, "skyfoo", metadata={"Requires-Dist": "skybar>=2; python_version >= '3.13'"})

    findings = publish(index, resolve=True)
    assert list(findings) == ["unresolvable"]
    assert findings["unresolvable"].startswith(
        "skyfoo==1.0 cannot be resolved for CPython 3.13, 3.14 and 3.15 on any platform: "
    )
    assert findings["unresolvable"].endswith("all versions of skyfoo depend on skybar>=2.")


def test_a_release_that_resolves_is_published(dist, index, publish, open_pypiserver):
    make_wheel(open_pypiserver.folder, "skybar", "2.1")
    make_wheel(dist, "skyfoo", metadata={"Requires-Dist": "skybar>=2", "Requires-Python": ">=3.13"})

    assert publish(index, resolve=True) == {}
    assert (open_pypiserver.folder / "skyfoo-1.0-py3-none-any.whl").exists()


def test_projects_of_one_release_may_depend_on_each_other(dist, index, tmp_path):
    requires = {"Requires-Python": ">=3.14"}
    make_wheel(dist, "skyfoo", metadata={"Requires-Dist": "skybar==1.0", **requires})
    make_wheel(dist, "skybar", metadata=requires)

    route = wheelrelay.Route(source=str(dist), sinks=[index], resolve=True)
    assert wheelrelay.relay(route).findings == ()


def test_a_dependency_without_a_wheel_is_a_warning(dist, index, publish, open_pypiserver):
    make_sdist(open_pypiserver.folder, "skybar", "2.0")
    make_wheel(dist, "skyfoo", metadata={"Requires-Dist": "skybar", "Requires-Python": ">=3.14"})

    findings = publish(index, resolve=True)
    assert list(findings) == ["dependency-without-wheel"]
    assert "skybar" in findings["dependency-without-wheel"]


def test_a_dependency_may_be_at_another_index(dist, index, publish, tmp_path):
    make_wheel(tmp_path / "others", "skybar", "2.0")
    make_wheel(dist, "skyfoo", metadata={"Requires-Dist": "skybar", "Requires-Python": ">=3.14"})

    assert publish(index, resolve=True, indexes=[str(tmp_path / "others")]) == {}


def test_a_private_index_is_read_with_its_credentials(dist, publish, tmp_path, monkeypatch):
    monkeypatch.setenv("INDEX_PASSWORD", PASSWORD)
    make_wheel(dist, "skyfoo", metadata={"Requires-Dist": "skybar", "Requires-Python": ">=3.14"})
    root = tmp_path / "private"
    root.mkdir()
    with run_pypiserver(root, username="user", password=PASSWORD, is_private=True) as server:
        make_wheel(server.folder, "skybar", "2.0")
        sink = wheelrelay.IndexConfig(
            type="index",
            url=server.simple_url,
            upload_url=server.upload_url,
            username="user",
            password={"env": "INDEX_PASSWORD"},
        )
        assert publish(sink, resolve=True) == {}
        make_wheel(dist, "skybaz", metadata={"Requires-Dist": "absent"})
        findings = publish(sink, resolve=True)
    assert list(findings) == ["unresolvable"]
    assert PASSWORD not in str(findings)


@pytest.mark.long
def test_an_index_that_refuses_the_reader_leaves_it_unknown(dist, index, publish, tmp_path):
    make_wheel(dist, "skyfoo", metadata={"Requires-Dist": "skybar", "Requires-Python": ">=3.14"})
    root = tmp_path / "private"
    root.mkdir()
    with run_pypiserver(root, username="user", password=PASSWORD, is_private=True) as server:
        other = wheelrelay.IndexConfig(type="index", url=server.simple_url)
        findings = publish(index, resolve=True, indexes=[other])

    assert list(findings) == ["resolvable-unknown"]
    assert "401" in findings["resolvable-unknown"]


def test_without_uv_it_is_unknown(dist, index, publish, monkeypatch):
    make_wheel(dist, "skyfoo")
    monkeypatch.setattr(sys, "executable", "/absent/python")
    monkeypatch.setenv("PATH", "")

    findings = publish(index, resolve=True)
    assert findings == {
        "resolvable-unknown": "Whether the release can be resolved is unknown: uv is not installed."
    }


def test_a_command_that_succeeds_lets_the_release_pass(dist, publish, tmp_path, monkeypatch):
    """The command has the release and its dependency, and no secrets."""
    monkeypatch.setenv("TWINE_PASSWORD", PASSWORD)
    make_wheel(tmp_path / "wheelhouse", "skybar", "2.0")
    make_wheel(dist, "skyfoo", metadata={"Requires-Dist": "skybar"})
    code = f"import os, skyfoo, skybar; assert {PASSWORD!r} not in os.environ.values(), os.environ"

    assert publish(str(tmp_path / "wheelhouse"), smoke=smoke(code)) == {}


def test_a_library_that_is_missing_is_refused(dist, publish, tmp_path):
    library = b"import ctypes\nctypes.CDLL('libabsent-1234.so')\n"
    make_wheel(dist, "skyfoo", files={"skyfoo/__init__.py": library})

    assert wheelrelay.check([dist]) == []
    findings = publish(str(tmp_path / "wheelhouse"), smoke=smoke("import skyfoo"))
    assert list(findings) == ["smoke-failed"]
    assert f"skyfoo==1.0 (wheel) with CPython {VERSION} fails" in findings["smoke-failed"]
    assert "libabsent-1234.so: cannot open shared object file" in findings["smoke-failed"]


def test_a_release_that_cannot_be_installed_is_refused(dist, publish, tmp_path):
    make_wheel(dist, "skyfoo", metadata={"Requires-Dist": "skybar"})

    findings = publish(str(tmp_path / "wheelhouse"), smoke=smoke("pass"))
    assert "cannot be installed: exit code 1" in findings["smoke-failed"]
    assert "skybar" in findings["smoke-failed"]


def test_a_command_that_takes_too_long_is_ended(dist, publish, tmp_path):
    make_wheel(dist, "skyfoo")

    findings = publish(
        str(tmp_path / "wheelhouse"), smoke=smoke("import time; time.sleep(600)", timeout="1s")
    )
    assert "it did not end within 1 s" in findings["smoke-failed"]


@pytest.mark.long
def test_an_interpreter_that_is_not_here_is_a_warning_unless_it_is_the_only_one(dist, publish, tmp_path):
    make_wheel(dist, "skyfoo")
    sink = str(tmp_path / "wheelhouse")
    both = Smoke(python=["3.99", VERSION], run=["python", "-c", "import skyfoo"])

    assert list(publish(sink, smoke=both.model_copy(update={"python": ("3.99",)}))) == [
        "smoke-failed",
        "smoke-unknown",
    ]
    assert list(publish(sink, smoke=both)) == ["smoke-unknown"]


def test_a_wheel_for_another_platform_is_not_tried(dist, publish, tmp_path):
    make_wheel(dist, "skyfoo", tag="cp39-cp39-win_arm64")

    findings = publish(str(tmp_path / "wheelhouse"), smoke=smoke("import skyfoo"))
    assert f"has no wheel for CPython {VERSION} on this machine" in findings["smoke-unknown"]
    assert "ran nowhere" in findings["smoke-failed"]


def test_a_mirror_cannot_be_tried():
    with pytest.raises(wheelrelay.ConfigError, match="a mirror cannot be tried"):
        wheelrelay.Route(source="pypi", sinks=["./mirror"], mode="mirror", resolve=True)


@pytest.mark.long
def test_the_sdist_is_built_and_tried(dist, publish, tmp_path):
    """The sdist has its own build backend; its module fails, and that of the wheel does not."""
    make_sdist(dist, "skyfoo", files={"src/skyfoo/__init__.py": b"raise ImportError('from the sdist')"})
    make_wheel(dist, "skyfoo")

    findings = publish(str(tmp_path / "wheelhouse"), smoke=smoke("import skyfoo", sdist=True))
    assert "skyfoo==1.0 (sdist)" in findings["smoke-failed"]
    assert "from the sdist" in findings["smoke-failed"]


def test_reports_what_it_does(dist, tmp_path):
    make_wheel(dist, "skyfoo", metadata={"Requires-Python": f"=={VERSION}.*"})
    steps = []
    route = wheelrelay.Route(
        source=str(dist), sinks=[str(tmp_path / "wheelhouse")], resolve=True, smoke=smoke("import skyfoo")
    )
    wheelrelay.relay(route, progress=steps.append)

    began = [event.step.value for event in steps if isinstance(event, wheelrelay.StepBegan)]
    ended = [event.step.value for event in steps if isinstance(event, wheelrelay.StepEnded)]
    assert began == ended == ["stage", "resolve", "try", "publish", "confirm"]


@pytest.mark.long
def test_without_uv_the_release_is_installed_with_pip(dist, publish, tmp_path, monkeypatch):
    python = sys.executable
    monkeypatch.setattr(sys, "executable", "/absent/python")
    monkeypatch.setenv("PATH", "")
    make_wheel(tmp_path / "wheelhouse", "skybar", "2.0")
    make_wheel(dist, "skyfoo", metadata={"Requires-Dist": "skybar"})
    sink = str(tmp_path / "wheelhouse")

    broken = Smoke(python=[python], run=["python", "-c", "import skyfoo, skybar, absent"])
    assert "No module named 'absent'" in publish(sink, smoke=broken)["smoke-failed"]
    assert publish(sink, smoke=Smoke(python=[python], run=["python", "-c", "import skyfoo, skybar"])) == {}


def test_the_option_resolves_a_release_of_any_route(dist, index, tmp_path):
    make_wheel(dist, "skyfoo", metadata={"Requires-Dist": "absent-1234", "Requires-Python": ">=3.15"})
    route = wheelrelay.Route(source=str(dist), sinks=[index])

    with pytest.raises(wheelrelay.CheckFailed) as caught:
        wheelrelay.relay(route, options=wheelrelay.PublishOptions(resolve=True))
    assert [finding.check for finding in caught.value.findings] == ["unresolvable"]
