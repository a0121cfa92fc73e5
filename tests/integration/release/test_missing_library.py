"""A wheel from PyPI without its bundled shared library: all checks accept it, and it does not run."""

import sys
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from tests.servers.installers import pip_download

import wheelrelay
from wheelrelay.config.smoke import Smoke

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="the wheel for Linux has libraries in pyzmq.libs"),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of pyzmq for this interpreter."""
    folder = tmp_path_factory.mktemp("pyzmq")
    (name,) = pip_download(folder, "--no-deps", "pyzmq")
    return folder / name


@pytest.fixture
def broken(wheel, tmp_path):
    """The same wheel without its libraries, and with a correct RECORD."""
    target = tmp_path / "broken" / wheel.name
    target.parent.mkdir()
    with ZipFile(wheel) as complete, ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for info in complete.infolist():
            if ".libs/" in info.filename:
                continue
            content = complete.read(info)
            if info.filename.endswith(".dist-info/RECORD"):
                content = b"".join(line for line in content.splitlines(True) if b".libs/" not in line)
            archive.writestr(info.filename, content)
    return target


def route_from(wheel, tmp_path):
    smoke = Smoke(python=[sys.executable], run=["python", "-c", "import zmq; print(zmq.zmq_version())"])
    return wheelrelay.Route(source=str(wheel.parent), sinks=[str(tmp_path / "wheelhouse")], smoke=smoke)


def test_the_wheel_without_its_library_is_refused(broken, tmp_path):
    assert [finding for finding in wheelrelay.check([broken]) if finding.severity == "error"] == []

    with pytest.raises(wheelrelay.CheckFailed) as caught:
        wheelrelay.relay(route_from(broken, tmp_path))
    (finding,) = caught.value.findings
    assert finding.check == "smoke-failed"
    assert "libzmq" in finding.message
    assert "cannot open shared object file" in finding.message


def test_the_complete_wheel_is_published(wheel, tmp_path):
    receipt = wheelrelay.relay(route_from(wheel, tmp_path))

    assert receipt.is_complete
    assert receipt.findings == ()
