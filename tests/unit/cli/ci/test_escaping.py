"""Nothing that is shown is taken for a command."""

import io

import pytest

from wheelrelay.cli.ci.escaping import GuardedStream, disarmed


@pytest.mark.parametrize(
    ("armed", "harmless"),
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
def test_a_command_gets_a_space(armed: str, harmless: str) -> None:
    assert disarmed(armed) == harmless
    assert disarmed(harmless) == harmless


@pytest.mark.parametrize("text", ["std::vector", "a :: b", "# title", "##", "section_start", "x-1.0.whl\n"])
def test_other_text_stays(text: str) -> None:
    assert disarmed(text) == text


def test_a_stream_disarms_each_piece_and_is_otherwise_as_before() -> None:
    below = io.StringIO()
    stream = GuardedStream(below)
    assert stream.write("a\n") == 2
    assert stream.write("::error::x\n") == 11
    assert below.getvalue() == "a\n: :error::x\n"
    assert not stream.isatty()
    assert not hasattr(stream, "buffer")
