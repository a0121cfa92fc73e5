"""What the tests of the checks share."""

import pytest

from wheelrelay.checks import ChecksConfig, Profile, inspect


@pytest.fixture
def findings():
    """Everything that the profile ``pypi`` finds wrong with a file."""
    return lambda path: ChecksConfig(profile=Profile.PYPI).policy().select(inspect(path).findings)


@pytest.fixture
def found(findings):
    """The ids of the checks that a file breaks."""
    return lambda path: {finding.check for finding in findings(path)}
