"""What can be known beforehand keeps the gate shut: all of it is told at once, and nothing is published."""

import threading
import time

import pytest
from tests.integration.release.conftest import SDIST, TAGS, WHEELS, index_table
from tests.servers.pypi_troubles import Point, Trouble

from wheelrelay.testing import make_sdist, make_wheel
from wheelrelay.testing.broken import BROKEN


def errors_of(receipt):
    return {
        (found["filename"], found["check"]) for found in receipt["findings"] if found["severity"] == "error"
    }


class TestFiles:
    @pytest.fixture
    def broken(self, project):
        """Three broken files among those of the release."""
        make_wheel(project.dist, tag="cp313-cp313-linux_x86_64")
        make_wheel(project.dist, tag="cp312-cp312-linux_aarch64", metadata={"Summary": "x" * 600})
        BROKEN["metadata-url"].broken(project.dist)
        return {
            ("sample-1.0-cp313-cp313-linux_x86_64.whl", "platform-tag"),
            ("sample-1.0-cp312-cp312-linux_aarch64.whl", "platform-tag"),
            ("sample-1.0-cp312-cp312-linux_aarch64.whl", "metadata-summary"),
            ("sample-1.0-py3-none-any.whl", "metadata-url"),
        }

    def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_published(
        self, project, pypi, relay, broken
    ):
        done = relay("--json")
        assert done.code == 3
        assert errors_of(done.json()) == broken
        assert pypi.uploads == []

    def test_findings_are_told_by_rule_and_by_file_with_each_cure_once(self, relay, broken):
        done = relay()
        assert done.code == 3
        assert done.err.count("[platform-tag] 2 findings:") == 1
        assert done.err.count("auditwheel") == 1
        assert (
            "metadata-summary, platform-tag in 1 file:\n      - sample-1.0-cp312-cp312-linux_aarch64.whl"
            in done.err
        )
        assert "nothing was published" in done.err

    def test_what_is_missing_is_told_together_with_what_is_broken(self, project, pypi, relay, broken):
        route = "[routes.release.expect]\ncount = 20"
        project.configure("warehouse", remotes=index_table(pypi), route=route)
        done = relay("--json")
        assert done.code == 3
        assert {check for _, check in errors_of(done.json())} >= {"missing", "platform-tag", "metadata-url"}
        assert pypi.uploads == []

    def test_the_profile_and_what_is_ignored_are_the_sinks_own(self, project, pypi, relay, broken):
        checks = '[remotes.warehouse.checks]\nprofile = "index"'
        project.configure("warehouse", remotes=index_table(pypi, keys=checks))
        pypi.trouble("", Trouble(400, "Stop here"))
        assert relay("--jobs", "1").code == 1
        assert len(pypi.uploads) == 1
        checks = '[remotes.warehouse.checks]\nignore = ["platform-tag", { check = "metadata-url" }]'
        project.configure("warehouse", remotes=index_table(pypi, keys=checks))
        assert {check for _, check in errors_of(relay("--json").json())} == {"metadata-summary"}

    def test_limits_are_the_sinks_own(self, project, pypi, relay):
        checks = '[remotes.warehouse.checks]\nmax_file_size = "1 kB"'
        project.configure("warehouse", remotes=index_table(pypi, keys=checks))
        done = relay("--json")
        assert done.code == 3
        assert {check for _, check in errors_of(done.json())} == {"file-size"}

    def test_what_one_of_several_sinks_refuses_keeps_all_of_them_from_their_files(
        self, project, pypi, second, relay, broken
    ):
        remotes = index_table(second, "mirror", profile="index") + index_table(pypi)
        project.configure("mirror", "warehouse", remotes=remotes)
        assert relay().code == 3
        assert pypi.uploads == second.uploads == []

    def test_the_same_wheels_pass_when_they_are_repaired(self, project, pypi, relay, broken):
        for name, _ in broken:
            (project.dist / name).unlink(missing_ok=True)
        assert relay().code == 0
        assert pypi.digests() == project.digests()


class TestTheSink:
    @pytest.fixture
    def begun(self, project, pypi, relay):
        """A release of which the first wheel is published."""
        for name in [*WHEELS[1:], SDIST]:
            (project.dist / name).rename(project.folder / name)
        assert relay().code == 0
        for name in [*WHEELS[1:], SDIST]:
            (project.folder / name).rename(project.dist / name)
        pypi.uploads.clear()

    def test_a_release_that_is_too_old_is_refused_before_the_first_upload(self, pypi, relay, begun):
        pypi.age(days=15)
        done = relay("--json")
        assert done.code == 3
        assert {check for _, check in errors_of(done.json())} == {"upload-window"}
        assert pypi.uploads == []

    def test_a_release_of_thirteen_days_is_completed(self, project, pypi, relay, begun):
        pypi.age(days=13)
        assert relay().code == 0
        assert pypi.digests() == project.digests()
        assert WHEELS[0] not in pypi.sent()

    def test_the_window_is_asked_for_by_the_profile_of_pypi_only(self, project, pypi, relay, begun):
        pypi.age(days=15)
        project.configure("warehouse", remotes=index_table(pypi, profile="index"))
        done = relay()
        assert done.code == 4 or done.code == 1
        assert "14 days" in done.err

    @pytest.mark.parametrize("status", ["quarantined", "archived"])
    def test_a_closed_project_is_refused_before_the_first_upload(self, pypi, relay, begun, status):
        pypi.statuses["sample"] = status
        done = relay("--json")
        assert done.code == 3
        assert "project-closed" in {check for _, check in errors_of(done.json())}
        assert pypi.uploads == []

    def test_a_yanked_release_is_a_warning(self, project, pypi, relay, begun):
        pypi.yank(WHEELS[0], "It eats files.")
        done = relay("--json")
        assert done.code == 0
        assert [found["check"] for found in done.json()["findings"]] == ["release-yanked"]

    def test_the_same_content_under_another_name_is_refused(self, project, pypi, relay, begun):
        other = WHEELS[0].replace("cp312-cp312", "cp311-cp311")
        (project.dist / WHEELS[0]).rename(project.dist / other)
        done = relay("--json")
        assert done.code == 3
        assert "release-same-content" in {check for _, check in errors_of(done.json())}
        assert pypi.uploads == []

    def test_the_same_name_with_other_bytes_is_refused(self, project, pypi, relay, begun):
        make_wheel(project.dist, "sample", "1.0", TAGS[0], payload=b"other")
        done = relay("--json")
        assert done.code == 3
        assert errors_of(done.json()) == {(WHEELS[0], "conflict")}
        assert pypi.uploads == []

    def test_all_conflicts_are_told_with_all_that_is_wrong_with_the_other_files(
        self, project, pypi, relay, begun
    ):
        make_wheel(project.dist, "sample", "1.0", TAGS[0], payload=b"other")
        make_wheel(project.dist, tag="cp313-cp313-linux_x86_64")
        done = relay("--json")
        assert done.code == 3
        assert {check for _, check in errors_of(done.json())} == {"conflict", "platform-tag"}


class TestTheExpectedSet:
    def expect(self, project, pypi, table):
        project.configure("warehouse", remotes=index_table(pypi), route=f"[routes.release.expect]\n{table}")

    def test_a_complete_release_passes(self, project, pypi, relay):
        self.expect(
            project,
            pypi,
            'wheels = ["cp{312,313}-*-manylinux*_x86_64", "cp313-*-{win_amd64,macosx*}"]\nsdist = true',
        )
        assert relay().code == 0
        assert pypi.digests() == project.digests()

    def test_missing_and_unexpected_are_both_told(self, project, pypi, relay, run):
        self.expect(project, pypi, 'wheels = ["cp{312,313,314}-*-manylinux*_x86_64"]\nsdist = false')
        done = relay("--json")
        assert done.code == 3
        told = [(found["check"], found["message"]) for found in done.json()["findings"]]
        assert sorted(check for check, _ in told) == ["missing", *["unexpected"] * 3]
        assert {found["filename"] for found in done.json()["findings"]} == {None, WHEELS[1], WHEELS[3], SDIST}
        assert "cp314-*-manylinux*_x86_64" in dict(told)["missing"]
        assert pypi.uploads == []
        planned = run("plan", "release", "--json")
        assert planned.code == 3
        assert planned.json()["missing"] == ["cp314-*-manylinux*_x86_64"]
        assert planned.json()["unexpected"] == sorted([WHEELS[1], WHEELS[3], SDIST])

    def test_unexpected_files_may_be_let_through_and_missing_ones_never(self, project, pypi, relay):
        self.expect(project, pypi, 'wheels = ["cp{312,313}-*-manylinux*_x86_64"]')
        assert relay().code == 3
        assert relay("--allow-unexpected").code == 0
        assert pypi.digests() == project.digests()
        self.expect(project, pypi, "count = 6")
        assert relay("--allow-unexpected").code == 3

    def test_build_identifiers_of_cibuildwheel_are_expectations(self, project, pypi, relay):
        identifiers = [
            "cp312-manylinux_x86_64",
            "cp313-manylinux_x86_64",
            "cp313-win_amd64",
            "cp313-macosx_arm64",
        ]
        (project.folder / "identifiers.txt").write_text("\n".join([*identifiers, "cp314-win_amd64"]))
        self.expect(project, pypi, 'cibuildwheel = "identifiers.txt"\nsdist = true')
        done = relay("--json")
        assert (done.code, [found["message"] for found in done.json()["findings"]]) == (
            3,
            ["cp314-win_amd64 is missing."],
        )
        (project.folder / "identifiers.txt").write_text("\n".join(identifiers))
        assert relay().code == 0
        assert pypi.digests() == project.digests()

    def test_a_list_of_sums_refuses_what_is_not_in_it(self, project, pypi, relay):
        self.expect(project, pypi, 'sha256sums = "SHA256SUMS"')
        sums = {**project.digests(), WHEELS[1]: "0" * 64}
        del sums[SDIST]
        lines = [f"{digest}  {name}\n" for name, digest in sums.items()]
        (project.folder / "SHA256SUMS").write_text("".join(lines))
        done = relay("--json")
        assert done.code == 3
        assert errors_of(done.json()) == {(WHEELS[1], "sha256sums"), (SDIST, "sha256sums")}
        assert pypi.uploads == []
        lines = [f"{digest} *dist/{name}\n" for name, digest in project.digests().items()]
        (project.folder / "SHA256SUMS").write_text("".join(lines))
        assert relay().code == 0


class TestWhereFilesComeFrom:
    @pytest.fixture
    def pushed(self, project, pypi, run):
        """The release in a container, pushed from two commits."""
        for commit, paths in {"1234567890": WHEELS[:2], "abcdef1234": [*WHEELS[2:], SDIST]}.items():
            words = [f"dist/{name}" for name in paths]
            project.configure(
                "warehouse",
                remotes=index_table(pypi) + '[remotes.box]\ntype = "directory"\npath = "box"\npages = true\n',
            )
            assert run("push", *words, "--to", "box", "--build", f"commit={commit}").code == 0
        return project

    def configure(self, project, pypi, expect=""):
        remotes = index_table(pypi) + '[remotes.box]\ntype = "directory"\npath = "box"\npages = true\n'
        project.configure("warehouse", remotes=remotes, route=expect)
        path = project.folder / "wheelrelay.toml"
        path.write_text(path.read_text().replace('source = "staging"', 'source = "box"'))

    def test_several_commits_are_a_warning(self, pushed, pypi, relay):
        self.configure(pushed, pypi)
        done = relay("--json")
        assert done.code == 0
        assert [(found["check"], found["severity"]) for found in done.json()["findings"]] == [
            ("mixed-commits", "warning")
        ]
        assert pypi.digests() == pushed.digests()

    def test_another_commit_than_was_asked_for_is_an_error(self, pushed, pypi, relay):
        self.configure(pushed, pypi, '[routes.release.expect]\ncommit = "abcdef1"')
        done = relay("--json")
        assert done.code == 3
        assert errors_of(done.json()) == {(name, "other-commit") for name in WHEELS[:2]}
        assert pypi.uploads == []

    def test_an_unknown_commit_is_not_the_one_that_was_asked_for(self, project, pypi, relay):
        project.configure(
            "warehouse", remotes=index_table(pypi), route='[routes.release.expect]\ncommit = "abcdef1"'
        )
        done = relay("--json")
        assert done.code == 3
        assert len(errors_of(done.json())) == 5


class TestWaiting:
    EXPECT = '[routes.release.expect]\nwheels = ["cp312-*-*", "cp313-*-*"]\nsdist = true'

    def test_a_release_is_waited_for_until_it_is_complete(self, project, pypi, relay):
        project.configure("warehouse", remotes=index_table(pypi), route=self.EXPECT)
        late = project.dist / SDIST
        late.rename(project.folder / SDIST)
        threading.Timer(0.7, lambda: (project.folder / SDIST).rename(late)).start()
        began = time.monotonic()
        assert relay("--wait", "60s").code == 0
        assert 0.5 < time.monotonic() - began < 20
        assert pypi.digests() == project.digests()

    def test_a_wait_that_times_out_is_a_refusal(self, project, pypi, relay):
        route = f'wait = "1s"\n{self.EXPECT}'
        project.configure("warehouse", remotes=index_table(pypi), route=route)
        (project.dist / SDIST).unlink()
        began = time.monotonic()
        done = relay("--json")
        assert done.code == 3
        assert 1 <= time.monotonic() - began < 20
        assert "sdist is missing" in done.json()["findings"][0]["message"]
        assert pypi.uploads == []

    def test_waiting_in_vain_for_any_file_is_a_refusal_too(self, project, pypi, relay):
        for path in project.dist.iterdir():
            path.unlink()
        done = relay("--wait", "1s")
        assert done.code == 3
        assert "(waited 1 s)" in done.err
        assert relay().code == 1

    def test_a_release_that_is_pushed_while_it_is_waited_for_arrives(self, project, pypi, relay_beside):
        route = f'wait = "60s"\n{self.EXPECT}'
        project.configure("warehouse", remotes=index_table(pypi), route=route)
        for path in project.dist.iterdir():
            path.unlink()
        pages = pypi.hold(Point.PAGE)
        future = relay_beside(["sample==1.0"])
        for tag in TAGS:
            make_wheel(project.dist, "sample", "1.0", tag)
        pages.await_reached()
        make_sdist(project.dist, "sample", "1.0")
        pages.let_go()
        assert future.result(60).is_complete
        assert pypi.digests() == project.digests()
