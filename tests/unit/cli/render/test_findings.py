"""Findings are told by rule and by file, so that a fault of sixty files is read once."""

import io

import pytest
from rich.console import Console

from wheelrelay.cli.render.findings import findings_lines
from wheelrelay.cli.render.tables import plan_table
from wheelrelay.filenames import dist_file
from wheelrelay.records import Action, Finding, Intent, Plan, PlannedFile, Severity


def shown(*findings):
    stream = io.StringIO()
    console = Console(file=stream, width=200)
    for line in findings_lines(findings):
        console.print(line, soft_wrap=True)
    return stream.getvalue().splitlines()


def found(check, filename=None, message="It is wrong.", hint="Put it right.", severity=Severity.ERROR):
    return Finding(check, severity, message, filename, hint)


def test_nothing_found_is_nothing_shown():
    assert shown() == []


def test_one_finding_is_a_sentence_with_its_cure_below():
    assert shown(found("rule", "a.whl")) == ["error a.whl: It is wrong. [rule]", "      Put it right."]
    assert shown(found("rule", hint=None)) == ["error It is wrong. [rule]"]


def test_the_same_fault_of_many_files_is_told_once_and_all_the_first_files_are_named():
    lines = shown(*[found("rule", f"{number:02}.whl") for number in range(60)])
    assert lines[0] == "error It is wrong. [rule] 60 files:"
    assert lines[1:11] == [f"      - {number:02}.whl" for number in range(10)]
    assert lines[11:] == ["      - and 50 more; --json tells all", "      Put it right."]


def test_different_faults_of_one_rule_share_its_cure():
    lines = shown(found("rule", "a.whl", "It lacks x."), found("rule", "b.whl", "It lacks y."))
    assert lines == [
        "error [rule] 2 findings:",
        "      - a.whl: It lacks x.",
        "      - b.whl: It lacks y.",
        "      Put it right.",
    ]


def test_different_cures_are_kept_apart():
    lines = shown(found("rule", "a.whl", hint="Use x."), found("rule", "a.whl", "It is bad.", hint="Use y."))
    assert [line for line in lines if "Use" in line] == ["      Use x.", "      Use y."]


def test_errors_come_before_warnings():
    lines = shown(found("odd", "a.whl", severity=Severity.WARNING), found("rule", "a.whl"))
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["error", "warning"]


def test_files_are_told_by_the_rules_that_they_break_where_these_differ():
    both = [found("rule", "a.whl"), found("other", "a.whl")]
    lines = shown(*both, *[found("rule", f"{number}.whl") for number in range(5)])
    assert lines[-8:] == [
        "By file:",
        "rule in 5 files:",
        "      - 0.whl",
        "      - 1.whl",
        "      - 2.whl",
        "      - and 2 more; --json tells all",
        "other, rule in 1 file:",
        "      - a.whl",
    ]


@pytest.mark.parametrize("text", ["[bold]no markup[/]", "café [/x]"])
def test_what_files_say_is_shown_as_it_is(text):
    assert text in shown(found("rule", "a.whl", text, hint=text))[0]


def test_no_size_is_told_of_a_plan_where_the_source_tells_none():
    files = [dist_file(name) for name in ("sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz")]
    planned = tuple(PlannedFile(file, {"pypi": Intent(Action.UPLOAD, "not there yet")}) for file in files)
    stream = io.StringIO()
    Console(file=stream, width=120).print(plan_table(Plan("box", ("pypi",), planned)))
    assert "2 files from box." in stream.getvalue()
