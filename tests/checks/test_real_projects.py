"""What real build tools make, and PyPI took, passes the profile ``pypi``: no false refusals."""

import random

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
BUDGET = 20 << 20
"""Bytes that are fetched of one project: its sdist, and wheels for as many platforms as fit in."""


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


def within_budget(packages):
    """The sdist, and wheels from all over the list as long as they fit in."""
    sdists = [package for package in packages if package.package_type == "sdist"]
    wheels = [package for package in packages if package.package_type == "wheel"]
    random.Random(0).shuffle(wheels)
    chosen, left = sdists, BUDGET
    for wheel in wheels:
        left -= wheel.size or 0
        if left > 0 or chosen == sdists:
            chosen = [*chosen, wheel]
    return chosen


@pytest.mark.long
@pytest.mark.parametrize("tool", BUILT_WITH)
def test_files_that_pypi_took_are_not_refused(tool, index, tmp_path):
    packages = within_budget(newest_release(index.get_project_page(BUILT_WITH[tool]).packages))
    assert {package.package_type for package in packages} == {"sdist", "wheel"}
    for package in packages:
        index.download_package(package, tmp_path / package.filename)
    refused = [finding for finding in check_files(tmp_path.iterdir()) if finding.severity is Severity.ERROR]
    assert refused == []
