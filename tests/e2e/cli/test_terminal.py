"""What people see on a terminal of 80 and of 160 columns while a release is published."""

import os
import sys
import time

import pytest
from tests.e2e.cli.screen import on_screen

from wheelrelay.testing import make_sdist, make_wheel

pytestmark = pytest.mark.long

PROJECT = "scikit_image_with_long_name"
TAGS = [
    f"cp{minor}-cp{minor}-{platform}"
    for minor in (312, 313)
    for platform in (
        "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "manylinux_2_28_aarch64",
        "macosx_11_0_arm64",
        "win_amd64",
    )
]
WHEELRELAY = (sys.executable, "-m", "wheelrelay")
RELAY = (*WHEELRELAY, "relay", "release")
CTRL_C = "\x03"


@pytest.fixture
def release(here):
    """Eight wheels with a long name and an sdist in ``./dist``."""
    for tag in TAGS:
        make_wheel(here / "dist", PROJECT, "1.24.0rc1", tag, payload=os.urandom(600_000))
    make_sdist(here / "dist", PROJECT, "1.24.0rc1")
    return here / "dist"


def shown_tags(tag):
    """The part of a wheel's tags that a narrow terminal shows."""
    return tag.partition(".")[0]


def rows(screen):
    """The rows of the last table, from its header on."""
    lines = screen.lines
    start = max(number for number, line in enumerate(lines) if line.startswith("file "))
    return [line for line in lines[start + 1 :] if PROJECT[:3] in line]


class TestInterrupt:
    @pytest.fixture
    def screen(self, config, proxy, release, here):
        proxy.latency = 4.0
        with on_screen([*RELAY, "--yes", "--jobs", "3"], here) as screen:
            screen.wait_for("Publishing 0 of 8 files")
            while len(proxy.uploads()) < 3:
                time.sleep(0.01)
            yield screen

    def test_first_one_announces_what_happens_at_once(self, screen):
        began = time.monotonic()
        screen.press(CTRL_C)
        screen.wait_for("Finishing 3 uploads for up to 5 s; press Ctrl-C again to stop now.")
        assert time.monotonic() - began < 1
        assert "Publishing" not in screen.text
        assert screen.wait_for_end() == 4
        assert "index: 3 published, 6 pending." in screen.text
        assert "^C" not in screen.text

    def test_second_one_stops_within_a_second_with_the_table(self, screen):
        screen.press(CTRL_C)
        screen.wait_for("press Ctrl-C again")
        began = time.monotonic()
        screen.press(CTRL_C)
        screen.wait_for("error: Interrupted")
        assert time.monotonic() - began < 1
        assert screen.wait_for_end() == 4
        assert "index: 6 pending, 3 unconfirmed." in screen.text
        assert len(rows(screen)) == 4
        assert rows(screen)[-1].split()[1:4] == ["and", "5", "more"]
        lines = screen.lines
        below = lines[lines.index("Finishing 3 uploads for up to 5 s; press Ctrl-C again to stop now.") + 1 :]
        assert below[0].split() == ["file", "index"]
        assert not any("Publishing" in line or "^C" in line for line in lines)


def test_interrupt_while_downloading_prints_no_line_for_each_file(web, release, here):
    for path in release.iterdir():
        web.serve(f"/files/{path.name}", path, pause=30)
    links = "".join(f'<a href="{path.name}">{path.name}</a>' for path in release.iterdir())
    page = f"listing+{web.serve('/files/', links)}"
    with on_screen([*WHEELRELAY, "relay", "--from", page, "--to", "./out", "-j", "3"], here) as screen:
        screen.wait_for("Staging 0 of 9")
        while len(web.paths()) < 4:
            time.sleep(0.01)
        screen.press(CTRL_C)
        screen.wait_for("Stopping; press Ctrl-C again to stop now.")
        screen.press(CTRL_C)
        assert screen.wait_for_end() == 130
        assert screen.lines[-1] == "Interrupted; nothing was published."
        assert not any("interrupted" in line or "Staging" in line for line in screen.lines)


@pytest.mark.parametrize("columns", [80, 160])
class TestNames:
    def test_each_file_of_the_plan_is_one_row_with_its_tags(self, config, release, here, columns):
        with on_screen([*WHEELRELAY, "plan", "release"], here, columns=columns) as screen:
            assert screen.wait_for_end() == 0
        assert len(rows(screen)) == 9
        for tag in TAGS:
            [row] = [line for line in rows(screen) if shown_tags(tag) in line]
            assert row.endswith("kB  upload")
            assert len(row) <= columns

    def test_each_file_of_a_list_is_one_row_with_its_tags(self, config, release, here, columns):
        with on_screen([*WHEELRELAY, "list", "staging"], here, columns=columns) as screen:
            assert screen.wait_for_end() == 0
        assert len(rows(screen)) == 9
        assert all(" kB " in row for row in rows(screen))
        for tag in TAGS:
            assert len([line for line in rows(screen) if shown_tags(tag) in line]) == 1

    def test_bars_show_tags_and_units(self, config, proxy, release, here, columns):
        proxy.latency = 4.0
        with on_screen([*RELAY, "--yes", "--jobs", "3"], here, columns=columns) as screen:
            screen.wait_for("Publishing 0 of 8 files")
            while len(proxy.uploads()) < 3:
                time.sleep(0.01)
            bars = [line for line in screen.lines if line.startswith("  scikit")]
            assert len(bars) == 3
            assert all(" kB" in bar for bar in bars)
            named = {tag for tag in TAGS for bar in bars if shown_tags(tag) in bar}
            assert len(named) == 3
            screen.press(CTRL_C)
            screen.press(CTRL_C)
            screen.wait_for_end()


class TestQuestion:
    @pytest.fixture
    def listing(self, web, release):
        """The address of a page with the release; it declares no sizes."""
        for path in release.iterdir():
            web.serve(f"/files/{path.name}", path)
        links = "".join(f'<a href="{path.name}">{path.name}</a>' for path in release.iterdir())
        return f"listing+{web.serve('/files/', links)}"

    def test_comes_before_the_first_download_below_one_table(self, config, web, listing, here):
        with on_screen([*WHEELRELAY, "relay", "--from", listing, "--to", "index"], here) as screen:
            screen.wait_for("Publish 9 files to index? [y/N]:")
            assert set(web.paths()) == {"/files/"}
            assert screen.text.count("win_amd64.whl") == 2
            screen.press("y\n")
            assert screen.wait_for_end() == 0
        assert "index: 9 published." in screen.text
        assert screen.text.count("win_amd64.whl") == 2

    def test_is_not_answered_by_keys_typed_before(self, config, proxy, release, here):
        proxy.latency = 1.0
        with on_screen(RELAY, here) as screen:
            screen.press("y\ny\n")
            while not proxy.paths():
                time.sleep(0.01)
            screen.press("y\n")
            screen.wait_for("Publish 9 files to index? [y/N]:")
            time.sleep(0.3)
            assert proxy.uploads() == []
            assert screen.text.endswith("[y/N]:")
            screen.press("n\n")
            assert screen.wait_for_end() == 3

    def test_is_not_asked_for_a_local_directory(self, release, here):
        with on_screen([*WHEELRELAY, "relay", "--from", "./dist", "--to", "./out"], here) as screen:
            assert screen.wait_for_end() == 0
        assert "Publish 9 files" not in screen.text
        assert len(list((here / "out").iterdir())) == 9

    def test_download_takes_the_size_from_the_answer(self, web, listing, release, here):
        for path in release.iterdir():
            web.serve(f"/files/{path.name}", path, pause=30)
        with on_screen([*WHEELRELAY, "relay", "--from", listing, "--to", "./out"], here) as screen:
            screen.wait_for("Staging 0 of 9")
            screen.wait_for("/601.")  # the size of one wheel, in kB
            screen.press(CTRL_C)
            screen.wait_for("Stopping")
            screen.press(CTRL_C)
            screen.wait_for_end()


def test_waiting_names_missing_files_and_the_time_left(release, here):
    late = next(path for path in release.iterdir() if "win_amd64" in path.name)
    late.rename(here / late.name)
    (here / "wheelrelay.toml").write_text(
        '[routes.release]\nsource = "./dist"\nsinks = ["./out"]\n[routes.release.expect]\n'
        'wheels = ["cp{312,313}-*-{win_amd64,macosx*_arm64,manylinux_2_28_aarch64,manylinux2014_x86_64}"]\n'
        "sdist = true\n"
    )
    tag = "cp312-*-win_amd64" if "cp312" in late.name else "cp313-*-win_amd64"
    with on_screen([*RELAY, "--wait", "90s"], here, columns=100) as screen:
        screen.wait_for(f"8 of 9 expected files found, missing {tag}; waiting for up to ")
        assert " s.\n" in screen.text + "\n"
        (here / late.name).rename(late)
        assert screen.wait_for_end() == 0
        assert screen.text.count("expected files found") == 1
        assert "./out: 9 published." in screen.text
