"""Plans and receipts as Markdown, as a Markdown parser renders them."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from markdown_it import MarkdownIt

from wheelrelay.cli.render.markdown import (
    code,
    escaped,
    findings_markdown,
    plan_markdown,
    receipt_markdown,
    truncated,
)
from wheelrelay.filenames import dist_file
from wheelrelay.records import (
    Action,
    Delivery,
    Finding,
    Intent,
    Outcome,
    Plan,
    PlannedFile,
    Receipt,
    ReceiptFile,
    Severity,
)
from wheelrelay.version import DOCUMENTATION

WHEEL = "sample-1.0-py3-none-any.whl"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVIL = (
    "<img src=x> | `code` **bold** [link](https://example.org) _a_ \n# head @who ~~x~~ &lt; \\ https://e.org"
)


def rendered(markdown):
    """Return the text that a reader sees, with the cells of tables separated."""
    html = MarkdownIt("gfm-like", {"linkify": False}).render(markdown)
    assert "<img" not in html
    assert html.count("<a ") == html.count(f'<a href="{DOCUMENTATION}reference/checks.html#')
    text = re.sub(r"<[^>]+>", "\t", html)
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(entity, char)
    return text


def test_markdown_in_text_is_escaped():
    assert EVIL.replace("\n", " ") in rendered(escaped(EVIL))
    assert EVIL.replace("\n", " ") in rendered(f"| a | b |\n| --- | --- |\n| {escaped(EVIL)} | x |\n")
    assert code(WHEEL) == f"`{WHEEL}`"
    assert "a`b|c" in rendered(code("a`b|c"))


def test_plan_lists_actions_and_missing_files():
    intents = {"testpypi": Intent(Action.SKIP, "the same | bytes"), "pypi": Intent(Action.UPLOAD, "new")}
    plan = Plan(
        "staging",
        ("testpypi", "pypi"),
        (PlannedFile(replace(dist_file(WHEEL), size=2_000), intents),),
        missing=("cp313-*-win_amd64",),
        findings=(Finding("platform-tag", Severity.WARNING, EVIL, WHEEL),),
    )
    text = rendered(plan_markdown(plan))
    assert "Plan: 1 file, 2.0 kB, from" in text
    assert "missing:\t cp313-*-win_amd64" in text
    assert EVIL.replace("\n", " ") in text
    assert re.search(rf"{re.escape(WHEEL)}\s+2.0 kB\s+skip: the same \| bytes\s+upload\s", text)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Outcome.PUBLISHED, "Published"),
        (Outcome.UNCONFIRMED, "Partly published"),
        (Outcome.FAILED, "Not published"),
    ],
)
def test_receipt_begins_with_the_result(outcome, verdict):
    sinks = {"pypi": Delivery(outcome, reason="so | it is")}
    file = ReceiptFile(WHEEL, "sample", "1.0", 1, "ab" * 32, None, sinks)
    text = rendered(receipt_markdown(Receipt("staging", ("pypi",), "release", NOW, NOW, (file,))))
    assert f"{verdict}: 1 file from" in text
    assert f"1 {outcome.value}" in text
    assert "ab" * 32 in text
    assert ("so | it is" in text) is not (outcome is Outcome.PUBLISHED)


def test_failed_files_come_first():
    good, bad = {"pypi": Delivery(Outcome.PUBLISHED)}, {"pypi": Delivery(Outcome.PENDING)}
    files = [
        ReceiptFile(name, "sample", "1.0", 1, None, None, sinks) for name, sinks in (("a", good), ("b", bad))
    ]
    text = receipt_markdown(Receipt("staging", ("pypi",), "release", NOW, NOW, tuple(files)))
    assert text.index("`b`") < text.index("`a`")


def test_findings_are_counted_and_errors_come_first():
    findings = [Finding("b", Severity.WARNING, "warned"), Finding("z", Severity.ERROR, "wrong", hint="Do")]
    text = rendered(findings_markdown("Checked", findings))
    assert "Checked: 1 error, 1 warning" in text
    assert text.index("wrong") < text.index("warned")
    assert "no problems found" in findings_markdown("Checked", [])


def test_long_text_is_truncated_at_a_line():
    text = "".join(f"| ä{number} |\n" for number in range(1000))
    cut = truncated(text, 1000)
    assert len(cut.encode()) <= 1000
    kept, _, note = cut.partition("\n\n")
    assert text.startswith(kept + "\n")
    assert "Truncated" in note
    assert truncated(text, len(text.encode())) == text
    assert truncated(text, 10) == truncated(text, -5) == ""
