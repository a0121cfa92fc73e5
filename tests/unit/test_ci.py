"""Which CI system this is, and where a build comes from."""

import pytest

from wheelrelay.ci import CI_SYSTEMS, current_build, current_system


@pytest.mark.parametrize("system", CI_SYSTEMS, ids=lambda system: system.name)
def test_each_system_is_detected_by_its_variable(system):
    assert current_system({system.sign: "true", "CI": "true"}) is system
    assert current_system({system.sign: ""}) is None


def test_the_current_system_has_precedence():
    both = {"GITHUB_SHA": "of-github", "GIT_COMMIT": "of-jenkins", "JENKINS_URL": "https://ci.example.org"}
    assert current_build(both)["commit"] == "of-jenkins"
    assert current_build({**both, "JENKINS_URL": ""})["commit"] == "of-github"
    assert current_build({"JENKINS_URL": "x", "GITHUB_SHA": "1f2e3d"}) == {"commit": "1f2e3d"}
    assert current_build({"GITHUB_ACTIONS": "true"}) == {}
