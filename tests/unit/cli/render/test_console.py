"""Consoles are as wide as the terminal, or wide enough for filenames where there is none."""

import os
import sys

import pytest

from wheelrelay.cli.render.console import LOG_WIDTH, console
from wheelrelay.cli.render.streams import write


def test_a_log_is_wide(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == console(stderr=True).width == LOG_WIDTH


def test_the_width_can_be_given(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "72")
    assert console().width == 72


def test_text_goes_to_where_it_belongs(capsys):
    console().print("a result")
    console(stderr=True).print("a remark")
    write("as it is [x] :smile:\n")
    assert capsys.readouterr() == ("a result\nas it is [x] :smile:\n", "a remark\n")


def test_a_reader_that_has_gone_away_harms_nothing(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(BrokenPipeError):
            print("x" * 100_000, flush=True)
        write("x" * 100_000)
        write("and on\n")
        shown = console()
        for _ in range(3):
            shown.print("x" * 100_000)


def test_a_console_falls_silent_when_its_reader_has_gone_away(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        shown = console()
        for _ in range(3):
            shown.print("x" * 100_000)
        assert shown.quiet
