"""Tools of the tests are installed once, also by several processes."""

import multiprocessing

import pytest

from tests.servers.installed import install_once


def add_line(folder):
    with (folder / "log").open("a") as log:
        log.write("installed\n")


def fail(folder):
    add_line(folder)
    raise OSError


def test_one_of_many_processes_installs(tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=install_once, args=(tmp_path / "tool", add_line)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert (tmp_path / "tool" / "log").read_text() == "installed\n"


def test_repeats_a_failed_installation(tmp_path):
    with pytest.raises(OSError):
        install_once(tmp_path / "tool", fail)
    install_once(tmp_path / "tool", add_line)
    assert (tmp_path / "tool" / "log").read_text() == "installed\ninstalled\n"
