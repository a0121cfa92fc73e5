"""Which CI system this is, and where a build comes from."""

import pytest

from wheelrelay.ci import SYSTEMS, CISystem, current_system, origin_from


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_each_system_is_known_by_its_sign(system: CISystem) -> None:
    assert current_system({system.sign: "true", "CI": "true"}) is system
    assert current_system({system.sign: ""}) is None


def test_the_current_system_is_asked_for_the_origin_first() -> None:
    both = {"GITHUB_SHA": "of-github", "GIT_COMMIT": "of-jenkins", "JENKINS_URL": "https://ci.example.org"}
    assert origin_from(both)["commit"] == "of-jenkins"
    assert origin_from({**both, "JENKINS_URL": ""})["commit"] == "of-github"
    assert origin_from({"JENKINS_URL": "x", "GITHUB_SHA": "1f2e3d"}) == {"commit": "1f2e3d"}
    assert origin_from({"GITHUB_ACTIONS": "true"}) == {}
