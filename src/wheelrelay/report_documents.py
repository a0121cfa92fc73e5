"""The JSON documents of reports; see `wheelrelay.documents`."""

from typing import Literal

from typing_extensions import TypedDict  # pydantic requires this one before Python 3.12

from wheelrelay.reports import PreflightReport


class PreflightItemDocument(TypedDict):
    """The result of one check of a preflight."""

    check: str
    verdict: Literal["pass", "fail", "unknown"]
    remote: str
    project: str | None
    reason: str
    hint: str | None


class PreflightDocument(TypedDict):
    """The results of a preflight."""

    may_publish: bool
    items: list[PreflightItemDocument]


def preflight_document(report: PreflightReport) -> PreflightDocument:
    """Return the document for the results of a preflight."""
    return {
        "may_publish": report.may_publish,
        "items": [
            {
                "check": item.check,
                "verdict": item.verdict.value,
                "remote": item.remote,
                "project": item.project,
                "reason": item.reason,
                "hint": item.hint,
            }
            for item in report.items
        ],
    }
