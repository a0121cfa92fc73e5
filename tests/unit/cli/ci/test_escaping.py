"""Output cannot contain commands for CI systems."""

import io

import pytest

from wheelrelay.cli.ci.syntax import EscapedStream, escape_commands


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("::error::x", ": :error::x"),
        ("a\n  ::add-mask::x", "a\n  : :add-mask::x"),
        ("a\r::stop-commands::x", "a\r: :stop-commands::x"),
        ("said ##[set-env name=PATH]x", "said # #[set-env name=PATH]x"),
        ("said ##vso[task.setvariable variable=a]x", "said # #vso[task.setvariable variable=a]x"),
        ("section_start:12:x\r", "section_start: 12:x\r"),
        ("section_end:12:x\r", "section_end: 12:x\r"),
    ],
)
def test_commands_are_escaped_with_a_space(text, escaped):
    assert escape_commands(text) == escaped
    assert escape_commands(escaped) == escaped


@pytest.mark.parametrize("text", ["std::vector", "a :: b", "# title", "##", "section_start", "x-1.0.whl\n"])
def test_other_text_is_unchanged(text):
    assert escape_commands(text) == text


def test_stream_escapes_each_piece():
    target = io.StringIO()
    stream = EscapedStream(target)
    assert stream.write("a\n") == 2
    assert stream.write("::error::x\n") == 11
    assert target.getvalue() == "a\n: :error::x\n"
    assert not stream.isatty()
    assert not hasattr(stream, "buffer")
