"""What real build tools make, and PyPI took, passes the profile ``pypi``: no false refusals."""

import pytest
import requests
from packaging.version import InvalidVersion, Version
from pypi_simple import PyPISimple

from wheelrelay.checks import check_files
from wheelrelay.records import Severity

BUILT_WITH = {
    "setuptools": "setuptools",
    "hatchling": "attrs",
    "flit": "packaging",
    "poetry-core": "tomlkit",
    "maturin": "rpds-py",
    "scikit-build-core": "boost-histogram",
    "meson-python": "contourpy",
    "pdm-backend": "unearth",
    "cython": "frozenlist",
    "cffi": "argon2-cffi-bindings",
}
"""Build tools, and a project of moderate size that is built with each."""


@pytest.fixture(scope="module")
def index():
    with PyPISimple() as client:
        try:
            client.get_project_page("packaging", timeout=20)
        except (requests.ConnectionError, requests.Timeout) as error:
            pytest.skip(f"PyPI cannot be reached from here: {type(error).__name__}")
        yield client


def newest_release(packages):
    """The files of the newest final release."""
    releases = {}
    for package in packages:
        try:
            version = Version(package.version or "")
        except InvalidVersion:
            continue
        if package.package_type in ("sdist", "wheel") and not version.is_prerelease and not package.is_yanked:
            releases.setdefault(version, []).append(package)
    return releases[max(releases)]


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("tool", BUILT_WITH)
def test_files_that_pypi_took_are_not_refused(tool, index, tmp_path):
    packages = newest_release(index.get_project_page(BUILT_WITH[tool]).packages)
    assert {package.package_type for package in packages} == {"sdist", "wheel"}
    for package in packages:
        index.download_package(package, tmp_path / package.filename)
    refused = [finding for finding in check_files(tmp_path.iterdir()) if finding.severity is Severity.ERROR]
    assert refused == []
