"""Files that PyPI accepted within the last year have no errors in the profile ``pypi``."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.checks.real_files import real_files

from wheelrelay.checks import ChecksConfig, Profile, inspect
from wheelrelay.records import Severity

NAMES = Path(__file__).with_name("real_projects.txt").read_text(encoding="utf-8").splitlines()[1:]
SEED, PROJECTS, LARGEST = 13, 240, 3 << 20
YEAR = timedelta(days=365)

BUILT_WITH = {
    "setuptools": "setuptools",
    "hatchling": "attrs",
    "flit": "packaging",
    "poetry-core": "tomlkit",
    "maturin": "rpds-py",
    "scikit-build-core": "boost-histogram",
    "meson-python": "contourpy",
    "pdm-backend": "unearth",
    "cython": "yarl",
    "cffi": "cffi",
}
"""Build tools, each with a project that uses it; these projects are always in the sample."""

REFUSED = {}
"""Files that violate a rule that is newer than they are, with the rule."""


@pytest.fixture(scope="module")
def sample():
    """A wheel and an sdist of each project in the sample, with their paths."""
    random_ = random.Random(SEED)
    others = random_.sample(sorted(set(NAMES) - set(BUILT_WITH.values())), PROJECTS - len(BUILT_WITH))
    names = sorted({*others, *BUILT_WITH.values()})
    with real_files() as pypi, ThreadPoolExecutor(4) as pool:
        files = [
            file
            for project_files in pool.map(pypi.of, names)
            for file in choose_recent(project_files, random_)
        ]
        return list(zip(files, pool.map(pypi.fetch, files), strict=True))


def choose_recent(files, random_):
    recent = [
        file
        for file in files
        if datetime.now(UTC) - file.uploaded < YEAR and file.size <= LARGEST and not file.yanked
    ]
    kinds = ([file for file in recent if file.filename.endswith(end)] for end in (".whl", ".tar.gz"))
    return [random_.choice(sorted(kind, key=lambda file: file.filename)) for kind in kinds if kind]


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_accepts_files_that_pypi_accepted_within_a_year(sample):
    assert len(sample) >= 300
    policy = ChecksConfig(profile=Profile.PYPI).policy()
    with ThreadPoolExecutor(2) as pool:
        inspections = list(pool.map(lambda pair: inspect(pair[1], policies=[policy]), sample))
    refused = {
        (finding.filename, finding.check): finding.message
        for inspection in inspections
        for finding in policy.select(inspection.findings)
        if finding.severity is Severity.ERROR and finding.filename not in REFUSED
    }
    assert refused == {}


def test_list_has_enough_projects():
    assert len(NAMES) >= PROJECTS
    assert set(BUILT_WITH.values()) <= set(NAMES)
