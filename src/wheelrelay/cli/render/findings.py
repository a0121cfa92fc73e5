"""Findings as text: grouped by rule, each with its hint, and then by file."""

from collections.abc import Iterable, Sequence

from wheelrelay.cli.option_names import with_option_names
from wheelrelay.cli.render.blocks import Line, counted
from wheelrelay.records import Finding, Severity

MAX_FINDINGS, MAX_FILES = 10, 3
"""Findings of one rule, and files that break the same rules, that are listed; JSON has all of them."""

STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
INDENT = " " * 6


def findings_lines(
    findings: Iterable[Finding], *, include_demoted: bool = False, has_json: bool = True
) -> list[Line]:
    """Return a paragraph for each rule, errors first, and then the rules that each file breaks.

    Args:
        findings: the findings, in any order.
        include_demoted: whether to list findings that are warnings only because the remote is not strict;
            otherwise one line counts them.
        has_json: whether the command has the option ``--json``, which long lists refer to.
    """
    findings = list(findings)
    see_all = "; use `--json` to see all" if has_json else ""
    demoted = [] if include_demoted else [finding for finding in findings if finding.demoted]
    lines = _by_rule((finding for finding in findings if include_demoted or not finding.demoted), see_all)
    return [*lines, _demoted_line(demoted, see_all)] if demoted else lines


def _demoted_line(demoted: Sequence[Finding], see_all: str) -> Line:
    line = Line(f"{Severity.WARNING.value} ", STYLES[Severity.WARNING])
    files = {finding.filename for finding in demoted if finding.filename}
    rules = ", ".join(sorted({finding.check for finding in demoted}))
    line.append(f"A stricter index would refuse {counted(len(files))}: {rules}.")
    line.append(f"\n{INDENT}{counted(len(demoted), 'finding')}{see_all}.", "dim")
    return line


def _by_rule(findings: Iterable[Finding], see_all: str) -> list[Line]:
    rules: dict[tuple[Severity, str, str | None], list[Finding]] = {}
    for finding in findings:
        rules.setdefault((finding.severity, finding.check, finding.hint), []).append(finding)
    groups = sorted(rules.values(), key=lambda group: group[0].severity is not Severity.ERROR)
    return [_rule(group, see_all) for group in groups] + _by_file(groups, see_all)


def _rule(group: Sequence[Finding], see_all: str) -> Line:
    """Return the paragraph of findings with the same rule and the same hint."""
    first = group[0]
    line = Line(f"{first.severity.value} ", STYLES[first.severity])
    if len(group) == 1:
        line.append(f"{_sentence(first)} [{first.check}]")
    elif len({finding.message for finding in group}) == 1:
        line.append(f"{first.message} [{first.check}] {len(group)} files:")
        _itemize(line, [finding.filename or "" for finding in group], see_all)
    else:
        line.append(f"[{first.check}] {len(group)} findings:")
        _itemize(line, [_sentence(finding) for finding in group], see_all)
    if first.hint:
        line.append(f"\n{INDENT}{with_option_names(first.hint)}", "dim")
    return line


def _itemize(line: Line, items: Sequence[str], see_all: str, max_items: int = MAX_FINDINGS) -> None:
    for item in items[:max_items]:
        line.append(f"\n{INDENT}- {item}")
    if len(items) > max_items:
        line.append(f"\n{INDENT}- and {len(items) - max_items} more{see_all}", "dim")


def _sentence(finding: Finding) -> str:
    message = with_option_names(finding.message)
    return f"{finding.filename}: {message}" if finding.filename else message


def _by_file(groups: Iterable[Sequence[Finding]], see_all: str) -> list[Line]:
    """Return the files with the rules that they break, if files differ in them."""
    broken: dict[str, set[str]] = {}
    for finding in (finding for group in groups for finding in group):
        if finding.filename:
            broken.setdefault(finding.filename, set()).add(finding.check)
    files_by_rules: dict[tuple[str, ...], list[str]] = {}
    for filename in sorted(broken):
        files_by_rules.setdefault(tuple(sorted(broken[filename])), []).append(filename)
    if len(files_by_rules) < 2:
        return []
    lines = [Line("By file:", "bold")]
    for rules, names in files_by_rules.items():
        line = Line(f"{', '.join(rules)} in {counted(len(names))}:")
        _itemize(line, names, see_all, MAX_FILES)
        lines.append(line)
    return lines
