"""Fixtures for the tests of checks."""

import pytest

from wheelrelay.checks import ChecksConfig, Profile, inspect


@pytest.fixture
def findings():
    """A function that returns the findings about a file in the profile ``pypi``."""
    return lambda path: ChecksConfig(profile=Profile.PYPI).policy().select(inspect(path).findings)


@pytest.fixture
def check_ids(findings):
    """A function that returns the ids of the checks that a file violates."""
    return lambda path: {finding.check for finding in findings(path)}
