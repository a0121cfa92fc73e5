"""Real provenance objects of PyPI are mirrored; the sdist of pypi-attestations has some with their files."""

import tarfile

import pytest
from pypi_attestations import Provenance
from tests.servers.oidc import run_trusting_index
from tests.unit.checks.real_files import real_files

import wheelrelay
from wheelrelay import Route
from wheelrelay.backends.local.directory import DirectoryConfig

PROJECTS = {
    "circleci-sign-publish-example": "CircleCI",
    "gcb-attestation-test": "Google",
    "pypi-attestations": "GitHub",
}


@pytest.fixture
def assets(tmp_path):
    """Return a folder with real files of PyPI and their provenance objects."""
    with real_files() as pypi:
        sdists = [file for file in pypi.of("pypi-attestations") if file.filename.endswith(".tar.gz")]
        newest = max(sdists, key=lambda file: file.uploaded)
        with tarfile.open(pypi.fetch(newest)) as archive:
            archive.extractall(tmp_path / "sdist", filter="data")
    [folder] = (tmp_path / "sdist").glob("*/test/assets")
    return folder


@pytest.mark.long
def test_provenance_objects_of_pypi_are_mirrored(assets, tmp_path):
    mirror = tmp_path / "mirror"
    with run_trusting_index() as index:
        for path in assets.glob("*.provenance"):
            file = path.with_name(path.name.removesuffix(".provenance"))
            index.take(file)
            index.provenance[file.name] = path.read_bytes()
        index.show_all()
        source = wheelrelay.IndexConfig(url=index.simple_url)
        sinks = [DirectoryConfig(path=mirror, pages=True)]
        receipt = wheelrelay.relay(Route(source=source, sinks=sinks, projects=list(PROJECTS), mode="mirror"))
        assert receipt.findings == ()
        assert {file.project for file in receipt.files} == set(PROJECTS)
        for file in receipt.files:
            stored = (mirror / f"{file.filename}.provenance").read_bytes()
            assert stored == index.provenance[file.filename]
            [bundle] = Provenance.model_validate_json(stored).attestation_bundles
            assert bundle.publisher.kind == PROJECTS[file.project]
