"""The three command lines that people followed for years run unchanged, with everything real."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.checks.real_files import real_files

from wheelrelay.testing import make_wheel

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "coming-from-wheel-uploader.md"
LINES = [
    "wheel-uploader -r warehouse -u $CDN_URL -s -v -w ~/wheelhouse -t macosx astropy $VERSION",
    "wheel-uploader -r warehouse -u $CDN_URL -s -v -w ~/wheelhouse -t manylinux1 astropy $VERSION",
    "wheel-uploader -r warehouse -u $CDN_URL -s -v -w ~/wheelhouse -t win astropy $VERSION",
]
MAC = "macosx_10_6_intel.macosx_10_9_intel.macosx_10_9_x86_64.macosx_10_10_intel.macosx_10_10_x86_64"
PYTHONS = ("cp27-cp27m", "cp34-cp34m", "cp35-cp35m", "cp36-cp36m")
TAGS = [
    *(f"{python}-{MAC}" for python in PYTHONS),
    *(
        f"{python}-manylinux1_{machine}"
        for python in (*PYTHONS, "cp27-cp27mu")
        for machine in ("i686", "x86_64")
    ),
    *(f"{python}-{machine}" for python in PYTHONS for machine in ("win32", "win_amd64")),
]


def listing_of(folder):
    """A page as Rackspace's CDN made of a container."""
    rows = "\n".join(
        f'<tr class="item type-application octet-stream"><td class="colname"><a href="{path.name}">'
        f'{path.name}</a></td><td class="colsize">{path.stat().st_size // 1024}KB</td>'
        '<td class="coldate">2017-03-30 16:46:52</td></tr>'
        for path in sorted(folder.iterdir())
    )
    return (
        "<!DOCTYPE html>\n<html><head><title>Listing of /</title></head><body><h1>Listing of /</h1>"
        '<table id="listing"><tr id="heading"><th class="colname">Name</th><th class="colsize">Size</th>'
        f'<th class="coldate">Date</th></tr>\n{rows}\n</table></body></html>'
    )


@pytest.fixture
def cdn(web, tmp_path):
    """The page of a container with astropy 1.3.2, its predecessor, and a neighbour."""
    folder = tmp_path / "container"
    for tag in TAGS:
        make_wheel(folder, "astropy", "1.3.2", tag, metadata={"Metadata-Version": "2.0"})
    return served(web, folder)


@pytest.fixture
def real_cdn(web, tmp_path):
    """The same page with the real wheels of astropy 1.3.2, as PyPI has them."""
    folder = tmp_path / "container"
    folder.mkdir()
    with real_files() as pypi:
        wheels = [file for file in pypi.of("astropy") if file.filename.startswith("astropy-1.3.2-")]
        for file in wheels:
            (folder / file.filename).symlink_to(pypi.fetch(file))
    return served(web, folder)


def served(web, folder):
    make_wheel(folder, "astropy", "1.3.1", TAGS[0])
    make_wheel(folder, "astropy-helpers", "1.3.2", "py2.py3-none-any")
    web.serve_folder(folder)
    web.serve("/", listing_of(folder))
    return web.url.rstrip("/")


def run(line, home, cdn):
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "HOME": str(home), "PATH": programs, "VERSION": "1.3.2", "CDN_URL": cdn}
    return subprocess.run(
        ["sh", "-c", line], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )


def sha256_of(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.suffix == ".whl"
    }


def test_historic_commands_run_unchanged_and_again(cdn, tmp_path, home, pypirc, pypiserver, keyring):
    follow(cdn, tmp_path, home, pypiserver, keyring)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_historic_commands_publish_real_wheels(real_cdn, tmp_path, home, pypirc, pypiserver, keyring):
    follow(real_cdn, tmp_path, home, pypiserver, keyring)


def follow(cdn, tmp_path, home, pypiserver, keyring):
    """Run the three lines, look at what has come of them, and run them again."""
    keyring.new_key("Astropy <astropy@example.org>")
    built = sha256_of(tmp_path / "container")
    wanted = {name: sha256 for name, sha256 in built.items() if name.startswith("astropy-1.3.2-")}
    assert len(wanted) == len(TAGS) == 22
    for line in LINES:
        done = run(line, home, cdn)
        assert done.returncode == 0, done.stderr
        assert "The Simple API of [warehouse] is unknown" in done.stderr
        assert "Confirming 4 files at warehouse" not in done.stderr
        assert pypiserver.password not in done.stdout + done.stderr

    arrived = pypiserver.folder
    assert sha256_of(arrived) == wanted
    assert sha256_of(home / "wheelhouse") == wanted
    assert {path.name for path in arrived.glob("*.asc")} == {f"{name}.asc" for name in wanted}
    for name in wanted:
        assert keyring.is_good(arrived / name, (arrived / f"{name}.asc").read_bytes())

    before = {path: path.stat().st_mtime_ns for path in arrived.iterdir()}
    for line in LINES:
        assert run(line, home, cdn).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in arrived.iterdir()} == before


def test_guide_has_the_historic_commands():
    text = GUIDE.read_text(encoding="utf-8")
    assert [line for line in LINES if line not in text] == []
