"""A matrix marks present, missing and unexpected files."""

import io
import re

import pytest
from rich.console import Console

from wheelrelay import dist_file
from wheelrelay.cli.render.matrix import matrix_html, matrix_markdown, matrix_table, release_matrices
from wheelrelay.expect import Expected, expected_wheels
from wheelrelay.matrix import matrix_of

NAMES = (
    "sample-1.0-cp39-abi3-macosx_11_0_arm64.whl",
    "sample-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "sample-1.0-cp313-cp313-manylinux_2_28_x86_64.whl",
    "sample-1.0-1-cp313-cp313-manylinux_2_28_x86_64.whl",
    "sample-1.0-cp313-cp313t-manylinux_2_28_x86_64.whl",
    "sample-1.0-cp313-cp313-win_amd64.whl",
    "sample-1.0-cp313-cp313-win32.whl",
    "sample-1.0-pp311-pypy311_pp73-musllinux_1_2_aarch64.whl",
    "sample-1.0.tar.gz",
)
PURE = "sample-1.0-py3-none-any.whl"
PATTERNS = ("cp{312,313}-*-manylinux*_x86_64", "cp314-cp314t-win_amd64", "cp39-abi3-*", "pp311-*-*")
EXPECTED = Expected(expected_wheels(PATTERNS), sdist=True)


def files(*names):
    return [dist_file(name, project="sample") for name in names or NAMES]


def drawn(releases, *, width=100, encoding="utf-8", color=None):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    Console(file=stream, width=width, color_system=color).print(matrix_table(releases))
    stream.flush()
    return raw.getvalue().decode(encoding)


def row(text, platform):
    """The cells of a row."""
    line = next(line for line in text.splitlines() if line.startswith(platform))
    return line.removeprefix(platform)


def test_release_without_wheels_has_no_table():
    release = release_matrices(files("sample-1.0.tar.gz"))
    assert drawn(release).splitlines() == ["sample 1.0", "sdist: sample-1.0.tar.gz"]
    assert matrix_markdown(release) == "### sample 1.0\n\n- sdist: sample-1.0.tar.gz\n"


class TestOrder:
    def test_pythons_are_sorted_by_version_with_py3_last(self):
        made = matrix_of([*(name for name in NAMES if name.endswith(".whl")), PURE])
        assert made.pythons == ("cp39 abi3", "cp312", "cp313", "cp313t", "pp311", "py3")

    def test_versions_of_a_platform_share_a_row(self):
        made = matrix_of([*(name for name in NAMES if name.endswith(".whl")), PURE])
        assert made.platforms == (
            "manylinux x86_64",
            "musllinux aarch64",
            "macOS arm64",
            "Windows amd64",
            "Windows x86",
            "any",
        )

    def test_build_tags_share_a_cell(self):
        made = matrix_of([*(name for name in NAMES if name.endswith(".whl")), PURE])
        assert len(made.cell("manylinux x86_64", "cp313").files) == 2

    def test_wheel_for_several_platforms_is_in_each_row(self):
        made = matrix_of(["a-1-cp313-cp313-macosx_10_9_x86_64.macosx_11_0_arm64.whl"])
        assert made.platforms == ("macOS arm64", "macOS x86_64")

    def test_unknown_platform_is_named_by_its_tag(self):
        assert matrix_of(["a-1-cp313-cp313-plan9_amd64.whl"]).platforms == ("plan9_amd64",)


class TestTerminal:
    def test_marks_present_missing_and_unexpected_files(self):
        text = drawn(release_matrices(files(), EXPECTED))
        assert re.fullmatch(r" +✓ +✓2 +\+ *", row(text, "manylinux x86_64"))
        assert "✗" in row(text, "Windows amd64")
        assert "+ unexpected: sample-1.0-cp313-cp313-win32.whl" in text
        assert "✓ present   ✗ missing   + unexpected" in text
        assert "sdist: sample-1.0.tar.gz" in text

    def test_without_expect_all_files_are_present(self):
        text = drawn(release_matrices(files()))
        assert not {"✗", "+"} & set(text)

    def test_missing_sdist_is_noted_below(self):
        expected = Expected(expected_wheels(["*-*-win_arm64"]), sdist=True)
        text = drawn(release_matrices(files("sample-1.0-cp313-cp313-win_arm64.whl"), expected))
        assert "✗ missing: sdist" in text

    def test_releases_are_shown_one_below_the_other(self):
        text = drawn(release_matrices(files("sample-1.0-py3-none-any.whl", "sample-1.1-py3-none-any.whl")))
        titles = [line for line in text.splitlines() if line.startswith("sample")]
        assert titles == ["sample 1.0", "sample 1.1"]

    @pytest.mark.parametrize("width", [40, 80, 200])
    def test_matrix_fits_the_terminal(self, width):
        names = [
            f"sample-1.0-cp3{minor}-cp3{minor}{threads}-{platform}.whl"
            for minor in range(9, 16)
            for threads in ("", "t")
            for platform in ("manylinux_2_28_x86_64", "musllinux_1_2_aarch64", "macosx_11_0_universal2")
        ]
        text = drawn(release_matrices(files(*names)), width=width)
        assert max(map(len, text.splitlines())) <= width
        assert text.count("✓") - 1 == len(names)

    def test_ascii_terminal_gets_letters(self):
        text = drawn(release_matrices(files(), EXPECTED), encoding="ascii")
        assert "y present   - missing" in text

    def test_colors_do_not_change_the_text(self):
        coloured = drawn(release_matrices(files(), EXPECTED), color="standard")
        plain = drawn(release_matrices(files(), EXPECTED))
        assert "\x1b[" in coloured
        assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


class TestMarkdown:
    def test_markdown_is_a_table_with_a_legend(self):
        lines = matrix_markdown(release_matrices(files(), EXPECTED)).splitlines()
        assert lines[0] == "### sample 1.0"
        assert lines[2].count("|") == lines[3].count("|") == lines[4].count("|")
        assert any(line.startswith("| Windows amd64 |") and "✗" in line for line in lines)

    def test_names_are_escaped(self):
        text = matrix_markdown(release_matrices(files("sample-1.0-cp313-cp313-plan9_x.whl")))
        assert "plan9\\_x" in text


class TestHtml:
    def test_cells_have_a_class_and_a_title(self):
        text = matrix_html(release_matrices(files(), EXPECTED))
        assert '<th scope="row">Windows amd64</th>' in text
        assert re.search(r'<td class="missing" title="missing">✗</td>', text)
        assert re.search(r'<td class="present" title="[^"]*cp312[^"]*">✓</td>', text)

    def test_names_are_escaped(self):
        text = matrix_html(release_matrices(files(), Expected(expected_wheels(["cp313-*-a&b"]))))
        assert "a&amp;b" in text
        assert "a&b" not in text
