"""What the tests of examples lean on: scripts are found and filled as the systems do."""

from tests.e2e.examples import steps

WORKFLOW = """
on: push
env: {KEPT: "1"}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - name: Say
        shell: bash
        env: {SAFE: "${{ inputs.to }}"}
        run: |
          echo "$SAFE $KEPT"
          echo ${{ inputs.to }}
"""
COMPONENT = """
spec:
  inputs:
    to: {default: staging}
---
say:
  variables:
    TO: {value: "$[[ inputs.to ]]", expand: false}
  script:
    - echo "$TO"
"""
TAKEN_OVER = "x; echo taken over"


def written(tmp_path, text):
    path = tmp_path / "file.yml"
    path.write_text(text)
    return path


def test_a_value_that_github_puts_into_a_script_can_take_it_over(tmp_path):
    (step,) = steps.github_steps(written(tmp_path, WORKFLOW))
    ended = step.run(tmp_path, {"inputs.to": TAKEN_OVER})
    assert step.name == "build/Say"
    assert ended.out.splitlines() == [f"{TAKEN_OVER} 1", "x", "taken over"]


def test_a_component_has_its_defaults_and_other_inputs(tmp_path):
    (step,) = steps.gitlab_steps(written(tmp_path, COMPONENT))
    assert step.run(tmp_path).out == "staging\n"
    assert step.run(tmp_path, {"inputs.to": TAKEN_OVER}).out == f"{TAKEN_OVER}\n"


def test_azure_leaves_unknown_variables_as_they_are(tmp_path):
    text = """
jobs:
  - job: a
    steps:
      - bash: echo "$KEY" "$(Build.BuildId)" '${{ parameters.to }}'
        env: {KEY: $(SECRET)}
"""
    (step,) = steps.azure_steps(written(tmp_path, text))
    ended = step.run(tmp_path, {"parameters.to": "staging"}, {"BUILD_BUILDID": "7"})
    assert ended.out == "$(SECRET) 7 staging\n"


def test_the_phases_and_steps_of_the_others_are_found(tmp_path):
    travis = written(tmp_path, "env: {global: [A=1]}\nscript: echo $A\nafter_success: [echo 2, echo 3]")
    assert [step.run(tmp_path).out for step in steps.travis_steps(travis)] == ["1\n", "2\n3\n"]
    appveyor = written(tmp_path, "environment: {A: 1}\ndeploy_script: [sh: echo $A, cmd: echo no]")
    assert [step.run(tmp_path).out for step in steps.appveyor_steps(appveyor)] == ["1\n"]
    text = "commands: {c: {parameters: {to: {default: x}}, steps: [run: echo << parameters.to >>]}}"
    (circle,) = steps.circleci_steps(written(tmp_path, text))
    assert (circle.name, circle.run(tmp_path).out) == ("c/run", "x\n")
    (kite,) = steps.buildkite_steps(written(tmp_path, "steps: [{command: 'echo $$A $A', env: {A: b}}]"))
    assert kite.run(tmp_path, {"A": "early"}).out == "b early\n"
    jenkins = tmp_path / "Jenkinsfile"
    jenkins.write_text("steps { sh '''\n  echo \"$A\"\n''' }")
    (sh,) = steps.jenkins_steps(jenkins)
    assert sh.run(tmp_path, env={"A": "a"}).out == "a\n"
