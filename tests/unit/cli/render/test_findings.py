"""Findings are grouped by rule and by file."""

import io

import pytest
from rich.console import Console

from wheelrelay.cli.render.tables import findings_lines, plan_table
from wheelrelay.filenames import dist_file
from wheelrelay.records import Action, Finding, Intent, Plan, PlannedFile, Severity
from wheelrelay.version import DOCUMENTATION


def printed(*findings):
    stream = io.StringIO()
    console = Console(file=stream, width=200)
    for line in findings_lines(findings):
        console.print(line, soft_wrap=True)
    return stream.getvalue().splitlines()


def finding(check, filename=None, message="It is wrong.", hint="Put it right.", severity=Severity.ERROR):
    return Finding(check, severity, message, filename, hint)


def test_no_findings_print_nothing():
    assert printed() == []


def test_hint_follows_the_finding():
    assert printed(finding("rule", "a.whl")) == ["error a.whl: It is wrong. [rule]", "      Put it right."]
    assert printed(finding("rule", hint=None)) == ["error It is wrong. [rule]"]


def test_same_finding_of_many_files_is_printed_once_with_the_first_files():
    lines = printed(*[finding("rule", f"{number:02}.whl") for number in range(60)])
    assert lines[0] == "error It is wrong. [rule] 60 files:"
    assert lines[1:11] == [f"      - {number:02}.whl" for number in range(10)]
    assert lines[11:] == ["      - and 50 more; use `--json` to see all", "      Put it right."]


def test_terminal_links_the_check_to_its_documentation():
    stream = io.StringIO()
    rich = Console(file=stream, force_terminal=True, width=200)
    rich.print(next(iter(findings_lines([finding("missing", "a.whl")]))))
    assert f"{DOCUMENTATION}reference/checks.html#missing" in stream.getvalue()


def test_check_of_another_distribution_has_no_link():
    foreign = Finding("icons", Severity.ERROR, "It is wrong.", provider="icon-checks")
    assert foreign.url is None


def test_findings_of_one_rule_share_the_hint():
    lines = printed(finding("rule", "a.whl", "It lacks x."), finding("rule", "b.whl", "It lacks y."))
    assert lines == [
        "error [rule] 2 findings:",
        "      - a.whl: It lacks x.",
        "      - b.whl: It lacks y.",
        "      Put it right.",
    ]


def test_different_hints_are_separate_paragraphs():
    lines = printed(
        finding("rule", "a.whl", hint="Use x."), finding("rule", "a.whl", "It is bad.", hint="Use y.")
    )
    assert [line for line in lines if "Use" in line] == ["      Use x.", "      Use y."]


def test_errors_come_before_warnings():
    lines = printed(finding("odd", "a.whl", severity=Severity.WARNING), finding("rule", "a.whl"))
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["error", "warning"]


def test_files_are_listed_by_rules_if_these_differ():
    both = [finding("rule", "a.whl"), finding("other", "a.whl")]
    lines = printed(*both, *[finding("rule", f"{number}.whl") for number in range(5)])
    assert lines[-8:] == [
        "By file:",
        "rule in 5 files:",
        "      - 0.whl",
        "      - 1.whl",
        "      - 2.whl",
        "      - and 2 more; use `--json` to see all",
        "other, rule in 1 file:",
        "      - a.whl",
    ]


def test_files_are_not_listed_again_if_each_breaks_one_rule():
    assert "By file:" not in printed(finding("rule", "a.whl"), finding("other", "b.whl"))


@pytest.mark.parametrize("text", ["[bold]no markup[/]", "café [/x]"])
def test_messages_are_not_interpreted_as_markup(text):
    assert text in printed(finding("rule", "a.whl", text, hint=text))[0]


def test_plan_without_sizes_has_no_total_size():
    files = [dist_file(name) for name in ("sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz")]
    planned = tuple(PlannedFile(file, {"pypi": Intent(Action.UPLOAD, "not there yet")}) for file in files)
    stream = io.StringIO()
    Console(file=stream, width=120).print(plan_table(Plan("box", ("pypi",), planned)))
    assert "2 files from box." in stream.getvalue()


def test_option_names_replace_parameter_names():
    assert "Use `--allow-unexpected`." in "".join(
        printed(finding("rule", hint="Use `allow_unexpected=True`."))
    )


def test_commands_without_json_do_not_mention_it():
    findings = [finding("rule", f"{number:02}.whl") for number in range(60)]
    text = "".join(line.text for line in findings_lines(findings, has_json=False))
    assert "and 50 more" in text
    assert "--json" not in text
