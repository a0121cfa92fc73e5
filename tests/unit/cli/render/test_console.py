"""Consoles follow the width of the terminal, and tolerate closed pipes."""

import os
import sys

import pytest

from wheelrelay.cli.render.console import LOG_WIDTH, console, write_output


def test_log_is_wide(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == console(stderr=True).width == LOG_WIDTH


def test_columns_variable_sets_the_width(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "72")
    assert console().width == 72


def test_text_is_printed_to_the_chosen_stream(capsys):
    console().print("a result")
    console(stderr=True).print("a remark")
    write_output("as it is [x] :smile:\n")
    assert capsys.readouterr() == ("a result\nas it is [x] :smile:\n", "a remark\n")


def test_closed_pipe_does_not_raise(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(BrokenPipeError):
            print("x" * 100_000, flush=True)
        write_output("x" * 100_000)
        write_output("and on\n")
        log = console()
        for _ in range(3):
            log.print("x" * 100_000)


def test_console_drops_output_after_a_closed_pipe(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        log = console()
        for _ in range(3):
            log.print("x" * 100_000)
        assert log.quiet
