"""Errors that can be known beforehand are reported together, and nothing is published."""

import threading
import time

import pytest
from tests.integration.release.conftest import SDIST, TAGS, WHEELS, index_table
from tests.servers.pypi_troubles import Point, Trouble

from wheelrelay.testing import make_sdist, make_wheel
from wheelrelay.testing.broken import BROKEN


def errors_of(receipt):
    return {
        (finding["filename"], finding["check"])
        for finding in receipt["findings"]
        if finding["severity"] == "error"
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

    def test_reports_all_errors_together_and_publishes_nothing(self, project, pypi, relay, broken):
        done = relay("--json")
        assert done.code == 3
        assert errors_of(done.json()) == broken
        assert pypi.uploads == []

    def test_groups_findings_by_check_and_file_with_each_hint_once(self, relay, broken):
        done = relay()
        assert done.code == 3
        assert done.err.count("[platform-tag] 2 findings:") == 1
        assert done.err.count("auditwheel") == 1
        assert (
            "metadata-summary, platform-tag in 1 file:\n      - sample-1.0-cp312-cp312-linux_aarch64.whl"
            in done.err
        )
        assert "nothing was published" in done.err

    def test_reports_missing_files_together_with_failed_checks(self, project, pypi, relay, broken):
        route = "[routes.release.expect]\ncount = 20"
        project.configure("warehouse", remotes=index_table(pypi), route=route)
        done = relay("--json")
        assert done.code == 3
        assert {check for _, check in errors_of(done.json())} >= {"missing", "platform-tag", "metadata-url"}
        assert pypi.uploads == []

    def test_uses_profile_and_ignored_checks_of_the_sink(self, project, pypi, relay, broken):
        checks = '[remotes.warehouse.checks]\nprofile = "index"'
        project.configure("warehouse", remotes=index_table(pypi, keys=checks))
        pypi.trouble("", Trouble(400, "Stop here"))
        assert relay("--jobs", "1").code == 1
        assert len(pypi.uploads) == 1
        checks = '[remotes.warehouse.checks]\nignore = ["platform-tag", { check = "metadata-url" }]'
        project.configure("warehouse", remotes=index_table(pypi, keys=checks))
        assert {check for _, check in errors_of(relay("--json").json())} == {"metadata-summary"}

    def test_uses_limits_of_the_sink(self, project, pypi, relay):
        checks = '[remotes.warehouse.checks]\nmax_file_size = "1 kB"'
        project.configure("warehouse", remotes=index_table(pypi, keys=checks))
        done = relay("--json")
        assert done.code == 3
        assert {check for _, check in errors_of(done.json())} == {"file-size"}

    def test_failed_check_of_one_sink_stops_all_sinks(self, project, pypi, second, relay, broken):
        remotes = index_table(second, "mirror", profile="index") + index_table(pypi)
        project.configure("mirror", "warehouse", remotes=remotes)
        assert relay().code == 3
        assert pypi.uploads == second.uploads == []

    def test_publishes_after_broken_files_are_removed(self, project, pypi, relay, broken):
        for name, _ in broken:
            (project.dist / name).unlink(missing_ok=True)
        assert relay().code == 0
        assert pypi.digests() == project.digests()


class TestExistingRelease:
    @pytest.fixture
    def begun(self, project, pypi, relay):
        """A release whose first wheel is published."""
        for name in [*WHEELS[1:], SDIST]:
            (project.dist / name).rename(project.folder / name)
        assert relay().code == 0
        for name in [*WHEELS[1:], SDIST]:
            (project.folder / name).rename(project.dist / name)
        pypi.uploads.clear()

    def test_refuses_release_outside_the_upload_window(self, pypi, relay, begun):
        pypi.age(days=15)
        done = relay("--json")
        assert done.code == 3
        assert {check for _, check in errors_of(done.json())} == {"upload-window"}
        assert pypi.uploads == []

    def test_completes_release_within_the_upload_window(self, project, pypi, relay, begun):
        pypi.age(days=13)
        assert relay().code == 0
        assert pypi.digests() == project.digests()
        assert WHEELS[0] not in pypi.sent()

    def test_upload_window_applies_only_to_profile_pypi(self, project, pypi, relay, begun):
        pypi.age(days=15)
        project.configure("warehouse", remotes=index_table(pypi, profile="index"))
        done = relay()
        assert done.code == 4 or done.code == 1
        assert "14 days" in done.err

    @pytest.mark.parametrize("status", ["quarantined", "archived"])
    def test_refuses_closed_project(self, pypi, relay, begun, status):
        pypi.statuses["sample"] = status
        done = relay("--json")
        assert done.code == 3
        assert "project-closed" in {check for _, check in errors_of(done.json())}
        assert pypi.uploads == []

    def test_warns_of_yanked_release(self, project, pypi, relay, begun):
        pypi.yank(WHEELS[0], "It eats files.")
        done = relay("--json")
        assert done.code == 0
        assert [finding["check"] for finding in done.json()["findings"]] == ["release-yanked"]

    def test_refuses_same_content_under_another_name(self, project, pypi, relay, begun):
        other = WHEELS[0].replace("cp312-cp312", "cp311-cp311")
        (project.dist / WHEELS[0]).rename(project.dist / other)
        done = relay("--json")
        assert done.code == 3
        assert "release-same-content" in {check for _, check in errors_of(done.json())}
        assert pypi.uploads == []

    def test_refuses_same_name_with_other_bytes(self, project, pypi, relay, begun):
        make_wheel(project.dist, "sample", "1.0", TAGS[0], payload=b"other")
        done = relay("--json")
        assert done.code == 3
        assert errors_of(done.json()) == {(WHEELS[0], "conflict")}
        assert pypi.uploads == []

    def test_reports_conflicts_together_with_failed_checks(self, project, pypi, relay, begun):
        make_wheel(project.dist, "sample", "1.0", TAGS[0], payload=b"other")
        make_wheel(project.dist, tag="cp313-cp313-linux_x86_64")
        done = relay("--json")
        assert done.code == 3
        assert {check for _, check in errors_of(done.json())} == {"conflict", "platform-tag"}


class TestExpectedSet:
    def expect(self, project, pypi, table):
        project.configure("warehouse", remotes=index_table(pypi), route=f"[routes.release.expect]\n{table}")

    def test_publishes_complete_release(self, project, pypi, relay):
        self.expect(
            project,
            pypi,
            'wheels = ["cp{312,313}-*-manylinux*_x86_64", "cp313-*-{win_amd64,macosx*}"]\nsdist = true',
        )
        assert relay().code == 0
        assert pypi.digests() == project.digests()

    def test_reports_missing_and_unexpected_files(self, project, pypi, relay, run):
        self.expect(project, pypi, 'wheels = ["cp{312,313,314}-*-manylinux*_x86_64"]\nsdist = false')
        done = relay("--json")
        assert done.code == 3
        findings = [(finding["check"], finding["message"]) for finding in done.json()["findings"]]
        assert sorted(check for check, _ in findings) == ["missing", *["unexpected"] * 3]
        assert {finding["filename"] for finding in done.json()["findings"]} == {
            None,
            WHEELS[1],
            WHEELS[3],
            SDIST,
        }
        assert "cp314-*-manylinux*_x86_64" in dict(findings)["missing"]
        assert pypi.uploads == []
        planned = run("plan", "release", "--json")
        assert planned.code == 3
        assert planned.json()["missing"] == ["cp314-*-manylinux*_x86_64"]
        assert planned.json()["unexpected"] == sorted([WHEELS[1], WHEELS[3], SDIST])

    def test_allows_unexpected_but_not_missing_files(self, project, pypi, relay):
        self.expect(project, pypi, 'wheels = ["cp{312,313}-*-manylinux*_x86_64"]')
        assert relay().code == 3
        assert relay("--allow-unexpected").code == 0
        assert pypi.digests() == project.digests()
        self.expect(project, pypi, "count = 6")
        assert relay("--allow-unexpected").code == 3

    def test_expects_build_identifiers_of_cibuildwheel(self, project, pypi, relay):
        identifiers = [
            "cp312-manylinux_x86_64",
            "cp313-manylinux_x86_64",
            "cp313-win_amd64",
            "cp313-macosx_arm64",
        ]
        (project.folder / "identifiers.txt").write_text("\n".join([*identifiers, "cp314-win_amd64"]))
        self.expect(project, pypi, 'cibuildwheel = "identifiers.txt"\nsdist = true')
        done = relay("--json")
        assert (done.code, [finding["message"] for finding in done.json()["findings"]]) == (
            3,
            ["cp314-win_amd64 is missing."],
        )
        (project.folder / "identifiers.txt").write_text("\n".join(identifiers))
        assert relay().code == 0
        assert pypi.digests() == project.digests()

    def test_refuses_files_that_are_not_in_the_list_of_sums(self, project, pypi, relay):
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


class TestBuildCommit:
    @pytest.fixture
    def pushed(self, project, pypi, run):
        """The release in a container, built from two commits."""
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

    def test_warns_of_several_commits(self, pushed, pypi, relay):
        self.configure(pushed, pypi)
        done = relay("--json")
        assert done.code == 0
        assert [(finding["check"], finding["severity"]) for finding in done.json()["findings"]] == [
            ("mixed-commits", "warning")
        ]
        assert pypi.digests() == pushed.digests()

    def test_refuses_files_from_another_commit(self, pushed, pypi, relay):
        self.configure(pushed, pypi, '[routes.release.expect]\ncommit = "abcdef1"')
        done = relay("--json")
        assert done.code == 3
        assert errors_of(done.json()) == {(name, "other-commit") for name in WHEELS[:2]}
        assert pypi.uploads == []

    def test_refuses_files_from_unknown_commit(self, project, pypi, relay):
        project.configure(
            "warehouse", remotes=index_table(pypi), route='[routes.release.expect]\ncommit = "abcdef1"'
        )
        done = relay("--json")
        assert done.code == 3
        assert len(errors_of(done.json())) == 5


class TestWaiting:
    EXPECT = '[routes.release.expect]\nwheels = ["cp312-*-*", "cp313-*-*"]\nsdist = true'

    def test_waits_until_the_release_is_complete(self, project, pypi, relay):
        project.configure("warehouse", remotes=index_table(pypi), route=self.EXPECT)
        late = project.dist / SDIST
        late.rename(project.folder / SDIST)
        threading.Timer(0.7, lambda: (project.folder / SDIST).rename(late)).start()
        began = time.monotonic()
        assert relay("--wait", "60s").code == 0
        assert 0.5 < time.monotonic() - began < 20
        assert pypi.digests() == project.digests()

    def test_refuses_incomplete_release_after_the_wait(self, project, pypi, relay):
        route = f'wait = "1s"\n{self.EXPECT}'
        project.configure("warehouse", remotes=index_table(pypi), route=route)
        (project.dist / SDIST).unlink()
        began = time.monotonic()
        done = relay("--json")
        assert done.code == 3
        assert 1 <= time.monotonic() - began < 20
        assert "sdist is missing" in done.json()["findings"][0]["message"]
        assert pypi.uploads == []

    def test_refuses_empty_source_after_the_wait(self, project, pypi, relay):
        for path in project.dist.iterdir():
            path.unlink()
        done = relay("--wait", "1s")
        assert done.code == 3
        assert "(waited 1 s)" in done.err
        assert relay().code == 1

    def test_publishes_release_that_is_built_during_the_wait(self, project, pypi, relay_beside):
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
