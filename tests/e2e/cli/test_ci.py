"""Commands on CI systems: what they show beside the log, and what the log is kept from saying."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e.cli.conftest import SDIST, WHEEL
from tests.servers.proxy import Fault
from tests.servers.web import Reply

from wheelrelay.testing import make_wheel

MEBIBYTE = 2**20
LINUX = "cp312-cp312-manylinux_2_17_x86_64"


@dataclass(frozen=True)
class GitHubFiles:
    """The files that GitHub gives to a step."""

    summary: Path
    outputs: Path

    def told(self):
        """The outputs, as GitHub reads them."""
        found = re.finditer(r"^(\w+)<<(.+)\n((?:.*\n)*?)\2\n", self.outputs.read_text(), re.MULTILINE)
        return {one[1]: one[3].removesuffix("\n") for one in found}


@pytest.fixture
def github(here, monkeypatch):
    files = GitHubFiles(here / "summary.md", here / "outputs")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(here))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(files.summary))
    monkeypatch.setenv("GITHUB_OUTPUT", str(files.outputs))
    return files


def annotations(log):
    return [line for line in log.splitlines() if re.match(r"::(error|warning|notice) ", line)]


class TestGitHub:
    def test_push_writes_summary_and_outputs(self, wheelrelay, github, dist):
        ended = wheelrelay("push", "dist", "--to", "./staging", "--receipt", "receipt.json")
        assert ended.code == 0
        assert github.told() == {"receipt": "receipt.json", "published": "2", "address": "staging"}
        summary = github.summary.read_text()
        assert summary.index("### Plan: 2 files") < summary.index("### Published: 2 files")
        assert summary.count(WHEEL) == 2
        assert annotations(ended.err) == []
        opened = [line for line in ended.err.splitlines() if line.startswith("::group::")]
        assert opened[0] == "::group::Plan: 2 files to ./staging"
        assert len(opened) == ended.err.splitlines().count("::endgroup::")
        assert "::group::" not in ended.err.partition("::endgroup::")[2]  # no step has lines for a group

    def test_group_of_a_step_begins_with_its_first_line(self, wheelrelay, github, config, proxy, dist):
        proxy.fail_upload(WHEEL, Fault(Reply(b"", 503)))
        ended = wheelrelay("relay", "release")
        assert ended.code == 0
        lines = ended.err.splitlines()
        start = lines.index("::group::Publishing 1 file, index")
        assert lines[start + 1].startswith(f"{WHEEL}: ")
        assert lines[start + 2] == "::endgroup::"
        assert lines[start + 3].startswith("Publishing 1 file to index took")

    def test_standard_output_has_only_json(self, wheelrelay, github, dist):
        ended = wheelrelay("push", "dist", "--to", "./staging", "--json")
        assert json.loads(ended.out)["complete"]

    def test_public_url_is_an_output(self, wheelrelay, github, dist, here):
        (here / "wheelrelay.toml").write_text(
            '[remotes.staging]\ntype = "directory"\npath = "staging"\n'
            'public_url = "https://wheels.example.org/staging/"\n'
        )
        wheelrelay("push", "dist", "--to", "staging", "--quiet")
        assert github.told()["address"] == "https://wheels.example.org/staging/"

    def test_refusal_is_annotated_and_summarized(self, wheelrelay, github, dist):
        wheelrelay("push", "dist", "--to", "./staging")
        make_wheel(dist, payload=b"other")
        ended = wheelrelay("push", "dist", "--to", "./staging")
        assert ended.code == 3
        conflict, end = annotations(ended.err)
        assert conflict.startswith(f"::error title=conflict::{WHEEL}: ")
        assert end.startswith("::error title=wheelrelay::1 file is already published")
        assert "### Not published" in github.summary.read_text()
        assert github.told()["published"] == "0"

    def test_missing_files_annotate_the_configuration(self, wheelrelay, github, config):
        make_wheel(config.parent / "dist", "sample", "1.0", LINUX)
        with config.open("a") as file:
            file.write('expect = { wheels = ["cp313-*-win_amd64"] }\n')
        for command in ("plan", "relay"):
            ended = wheelrelay(command, "release")
            assert ended.code == 3
            assert annotations(ended.err)[0] == (
                "::error title=missing::cp313-*-win_amd64 is missing.%0ABuild it, or remove it from `expect`."
            )
        assert annotations(ended.err)[-1].startswith("::error title=wheelrelay,file=wheelrelay.toml::")
        assert "**missing:**" in github.summary.read_text()

    def test_invalid_configuration_is_annotated(self, wheelrelay, github, here):
        (here / "ci").mkdir()
        (here / "ci" / "wheelrelay.toml").write_text("[remotes.x]\ntype = 'directory'\npaht = 'y'\n")
        ended = wheelrelay("list", "x", "--config", "ci/wheelrelay.toml")
        assert ended.code == 2
        (one,) = annotations(ended.err)
        assert one.startswith("::error title=wheelrelay,file=ci/wheelrelay.toml::")

    def test_usage_errors_are_annotated(self, wheelrelay, github):
        (one,) = annotations(wheelrelay("push", "--no-such-option").err)
        assert "--no-such-option" in one

    def test_check_and_verify_annotate_and_summarize(self, wheelrelay, github, dist):
        (dist / SDIST).write_bytes(b"broken")
        ended = wheelrelay("check", "dist")
        assert annotations(ended.err)[0].startswith(f"::error title=archive-unreadable::{SDIST}: ")
        assert "### Checked: 1 error, 0 warnings" in github.summary.read_text()
        (dist / SDIST).unlink()
        wheelrelay("push", "dist", "--to", "./staging", "--quiet")
        make_wheel(dist, payload=b"other")
        ended = wheelrelay("verify", "--from", "./dist", "--to", "./staging")
        assert ended.code == 3
        assert WHEEL in annotations(ended.err)[0]
        assert "### Verified: 1 error" in github.summary.read_text()

    def test_annotations_are_grouped_and_limited(self, wheelrelay, github, here):
        with (here / "wheelrelay.toml").open("w") as file:
            file.write('[routes.release]\nsource = "./dist"\nsinks = ["./out"]\n')
            wheels = ", ".join(f'"cp3{minor}-*-win_amd64"' for minor in range(10, 40))
            file.write(f"expect = {{ wheels = [{wheels}] }}\n")
        make_wheel(here / "dist", "sample", "1.0", LINUX)
        ended = wheelrelay("relay", "release")
        assert len(annotations(ended.err)) == 3  # missing, unexpected, and how it ended
        assert "and 20 more" in ended.err

    def test_skipped_push_writes_a_notice(self, wheelrelay, github, dist, here):
        (here / "wheelrelay.toml").write_text(
            '[remotes.locked]\ntype = "index"\nurl = "http://127.0.0.1:9/simple/"\n'
            'upload_url = "http://127.0.0.1:9/"\ntoken = { env = "NOT_SET" }\n'
        )
        ended = wheelrelay("push", "dist", "--to", "locked", "--skip-if-no-credentials")
        assert ended.code == 0
        (notice,) = annotations(ended.err)
        assert notice.startswith("::notice title=wheelrelay::Nothing was pushed")
        assert github.told() == {"receipt": "", "published": "0", "address": ""}

    def test_summary_is_limited_to_1_mib(self, wheelrelay, github, dist):
        github.summary.write_text("x" * (MEBIBYTE - 300))
        assert wheelrelay("push", "dist", "--to", "./staging").code == 0
        assert MEBIBYTE - 300 < github.summary.stat().st_size <= MEBIBYTE

    def test_unwritable_summary_is_logged(self, wheelrelay, github, dist):
        for path in (github.summary, github.outputs):
            path.mkdir()
        ended = wheelrelay("push", "dist", "--to", "./staging", "-v")
        assert ended.code == 0
        assert "Cannot write the job summary" in ended.err


class TestOtherSystems:
    def test_gitlab_sections(self, wheelrelay, dist, monkeypatch):
        monkeypatch.setenv("GITLAB_CI", "true")
        ended = wheelrelay("push", "dist", "--to", "./staging")
        names = re.findall(r"section_(start|end):\d{10}:(\w+)\r", ended.err)
        starts, ends = ([name for what, name in names if what == which] for which in ("start", "end"))
        assert starts == ends
        assert len(set(starts)) == len(starts) > 0

    def test_azure_logs_issues_and_sets_variables(self, wheelrelay, dist, monkeypatch):
        monkeypatch.setenv("TF_BUILD", "True")
        told = wheelrelay("push", "dist", "--to", "./staging").err
        assert "##[group]Plan: 2 files to ./staging\n" in told
        assert "##vso[task.setvariable variable=published;isOutput=true]2\n" in told
        make_wheel(dist, payload=b"other")
        refused = wheelrelay("push", "dist", "--to", "./staging").err
        assert f"##vso[task.logissue type=error]conflict: {WHEEL}" in refused

    @pytest.mark.parametrize("sign", ["TRAVIS", "APPVEYOR", "CIRCLECI", "BUILDKITE", "JENKINS_URL"])
    def test_other_systems_see_what_every_log_shows(self, wheelrelay, dist, monkeypatch, sign):
        def without_times(text):
            return re.sub(r"[\d.]+ s\b", "", text)

        plain = wheelrelay("push", "dist", "--to", "./staging")
        monkeypatch.setenv(sign, "true")
        there = wheelrelay("push", "dist", "--to", "./there/staging")
        assert without_times(there.err.replace("./there/", "./")).split() == without_times(plain.err).split()


class TestSwitch:
    @pytest.mark.parametrize("value", ["off", "0", "False"])
    def test_all_of_it_can_be_switched_off(
        self,
        wheelrelay,
        github,
        dist,
        monkeypatch,
        value,
    ):
        monkeypatch.setenv("WHEELRELAY_CI", value)
        ended = wheelrelay("push", "dist", "--to", "./staging")
        assert ended.code == 0
        assert "::" not in ended.err
        assert not github.summary.exists()
        assert not github.outputs.exists()


EVIL = "::add-mask::x\n##[error]x\n##vso[task.complete result=Succeeded]x\nsection_end:1:x\r"
OWN = re.compile(
    r"::(group|endgroup|error)\b|##\[(end)?group\]|##vso\[task\.(logissue|setvariable) |"
    r"\x1b\[0Ksection_\w+:\d+:wheelrelay_"
)
"""What begins a line of our own."""
COMMANDS = re.compile(r"^\s*::\S|##\[|##vso\[|section_(start|end):\d", re.MULTILINE)


@pytest.mark.parametrize("sign", ["GITHUB_ACTIONS", "TF_BUILD", "GITLAB_CI"])
@pytest.mark.parametrize("switch", ["", "off"])
def test_what_a_server_says_is_no_command(wheelrelay, web, monkeypatch, sign, switch, here):
    monkeypatch.setenv(sign, "true")
    monkeypatch.setenv("WHEELRELAY_CI", switch)
    make_wheel(here / "dist")
    url = web.url + "legacy/"
    web.serve("/legacy/", EVIL.encode(), status=400)
    web.serve("/simple/sample/", status=404)
    (here / "wheelrelay.toml").write_text(
        f'[remotes.evil]\ntype = "index"\nurl = "{web.url}simple/"\nupload_url = "{url}"\n'
        'username = "ci"\npassword = { env = "SECRET" }\n'
    )
    monkeypatch.setenv("SECRET", "s3cret")
    ended = wheelrelay("push", "dist", "--to", "evil", "-vv")
    assert ended.code == 1
    assert "task.complete" in ended.err  # it is repeated
    kept = [line for line in ended.err.splitlines() if not OWN.match(line)]
    rest = "\n".join(kept)
    assert not COMMANDS.search(rest), rest


def test_json_is_unchanged_and_has_no_commands(wheelrelay, dist, monkeypatch, here):
    evil = "##vso[task.complete]x section_end:1:x ##[group]"
    folder = here / evil
    make_wheel(folder)
    for sign in ("", "true"):
        monkeypatch.setenv("TF_BUILD", sign)
        ended = wheelrelay("plan", "--from", f"./{evil}", "--to", "./out", "--json")
        assert json.loads(ended.out)["source"] == f"./{evil}"
        assert not COMMANDS.search(ended.out)
