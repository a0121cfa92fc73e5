"""The published schemas accept valid configurations and refuse invalid ones."""

import pytest
from tests.e2e.examples.schemas import violations

SOUND = {
    "github-workflows": "on: push\njobs: {wheels: {runs-on: ubuntu-latest, steps: [{run: make}]}}\n",
    "github-actions": "name: Push\ndescription: d\nruns: {using: composite, steps: []}\n",
    "gitlab-ci": "wheels:\n  script: [make]\n",
    "azure-pipelines": "steps:\n  - bash: make\n",
    "travis": "language: python\nscript: make\n",
    "circle-ci": "version: 2.1\njobs: {}\n",
    "buildkite": "steps: [{command: make}]\n",
    "appveyor": "build: false\ntest_script:\n  - cmd: make\n",
}
BROKEN = {
    "github-workflows": "on: push\njobs: {wheels: {runs-on: ubuntu-latest, steps: [{rum: make}]}}\n",
    "github-actions": "name: Push\nruns: {using: composite, steps: []}\n",
    "gitlab-ci": "wheels:\n  script: [make]\n  whem: manual\n",
    "azure-pipelines": "steps:\n  - bosh: make\n",
    "travis": "language: python\nscript: {run: make}\n",
    "circle-ci": "version: 2.1\njobs: {a: {steps: 1}}\n",
    "buildkite": "steps: [{command: {a: 1}}]\n",
    "appveyor": "build: false\ntest_script: 3\n",
}


@pytest.mark.parametrize("system", SOUND)
def test_accepts_valid_and_refuses_invalid_configurations(system, tmp_path):
    sound, broken = tmp_path / "sound.yml", tmp_path / "broken.yml"
    sound.write_text(SOUND[system])
    broken.write_text(BROKEN[system])
    assert violations(sound, system, tmp_path) == ""
    assert violations(broken, system, tmp_path)


@pytest.mark.parametrize("wrong", [("inputs", "outputs"), ("script", "scrypt")])
def test_validates_both_parts_of_a_component(wrong, tmp_path):
    text = "spec: {inputs: {to: {default: staging}}}\n---\nwheels:\n  script: [make]\n"
    component = tmp_path / "component.yml"
    component.write_text(text)
    assert violations(component, "gitlab-ci", tmp_path) == ""
    component.write_text(text.replace(*wrong))
    assert violations(component, "gitlab-ci", tmp_path)
