"""Findings for people: by rule, each with what to do about it once, and then by file."""

from collections.abc import Iterable, Sequence

from wheelrelay.cli.render.sheet import Line
from wheelrelay.cli.render.wording import counted
from wheelrelay.records import Finding, Severity

SHOWN, EXAMPLES = 10, 3
"""Findings of one rule, and files that break the same rules, that are shown; JSON has all of them."""

STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
INDENT = " " * 6


def findings_lines(findings: Iterable[Finding], *, every: bool = False) -> list[Line]:
    """What is wrong, errors first: a paragraph for each rule, and at the end which rules each file breaks.

    Args:
        findings: in any order.
        every: also show each finding that is a warning only because the remote is not strict; otherwise one
            line counts them.
    """
    findings = list(findings)
    demoted = [] if every else [finding for finding in findings if finding.demoted]
    lines = _by_rule(finding for finding in findings if every or not finding.demoted)
    return [*lines, _counted(demoted)] if demoted else lines


def _counted(demoted: Sequence[Finding]) -> Line:
    line = Line(f"{Severity.WARNING.value} ", STYLES[Severity.WARNING])
    files = {finding.filename for finding in demoted if finding.filename}
    rules = ", ".join(sorted({finding.check for finding in demoted}))
    line.append(f"{counted(len(files), 'file')} would break rules of a stricter index: {rules}.")
    line.append(f"\n{INDENT}{counted(len(demoted), 'finding')}; --json lists them all.", "dim")
    return line


def _by_rule(findings: Iterable[Finding]) -> list[Line]:
    rules: dict[tuple[Severity, str, str | None], list[Finding]] = {}
    for finding in findings:
        rules.setdefault((finding.severity, finding.check, finding.hint), []).append(finding)
    groups = sorted(rules.values(), key=lambda group: group[0].severity is not Severity.ERROR)
    return [_rule(group) for group in groups] + _by_file(groups)


def _rule(group: Sequence[Finding]) -> Line:
    """One rule, and the findings that have the same cure."""
    first = group[0]
    line = Line(f"{first.severity.value} ", STYLES[first.severity])
    if len(group) == 1:
        line.append(f"{_about(first)} [{first.check}]")
    elif len({finding.message for finding in group}) == 1:
        line.append(f"{first.message} [{first.check}] {len(group)} files:")
        _itemize(line, [finding.filename or "" for finding in group])
    else:
        line.append(f"[{first.check}] {len(group)} findings:")
        _itemize(line, [_about(finding) for finding in group])
    if first.hint:
        line.append(f"\n{INDENT}{first.hint}", "dim")
    return line


def _itemize(line: Line, items: Sequence[str], most: int = SHOWN) -> None:
    for item in items[:most]:
        line.append(f"\n{INDENT}- {item}")
    if len(items) > most:
        line.append(f"\n{INDENT}- and {len(items) - most} more; --json tells all", "dim")


def _about(finding: Finding) -> str:
    return f"{finding.filename}: {finding.message}" if finding.filename else finding.message


def _by_file(groups: Iterable[Sequence[Finding]]) -> list[Line]:
    """The files by the rules that they break, where there is more than one of both."""
    broken: dict[str, set[str]] = {}
    for finding in (finding for group in groups for finding in group):
        if finding.filename:
            broken.setdefault(finding.filename, set()).add(finding.check)
    alike: dict[tuple[str, ...], list[str]] = {}
    for filename in sorted(broken):
        alike.setdefault(tuple(sorted(broken[filename])), []).append(filename)
    if len(alike) < 2:
        return []
    lines = [Line("By file:", "bold")]
    for rules, names in alike.items():
        line = Line(f"{', '.join(rules)} in {len(names)} file{'s' if len(names) > 1 else ''}:")
        _itemize(line, names, EXAMPLES)
        lines.append(line)
    return lines
