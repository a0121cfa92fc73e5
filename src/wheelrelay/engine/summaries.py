"""Describe in sentences which files of a receipt are not in place, and why."""

import re

from wheelrelay.records import Outcome, Receipt

MAX_REASONS = 3
"""How many different reasons a summary contains; the receipt has all of them."""

_LOWER_CASE_WORD = re.compile(r"[a-z]+[ ,]")


def count_at(receipt: Receipt, sink: str) -> str:
    """Return how many files a sink has."""
    in_place = sum(file.sinks[sink].is_in_place for file in receipt.files)
    unconfirmed = receipt.count(Outcome.UNCONFIRMED, sink)
    if not unconfirmed:
        return f"{sink} has {in_place} of {len(receipt.files)} files."
    return f"{sink} has {in_place} of {len(receipt.files)} files; {unconfirmed} could not be confirmed."


def reasons(receipt: Receipt) -> list[str]:
    """Return the first reasons of failures, each with the number of further files that share it."""
    by_text: dict[str, list[str]] = {}
    for file in receipt.files:
        for delivery in file.sinks.values():
            if delivery.reason and not delivery.is_in_place and delivery.outcome is not Outcome.PENDING:
                by_text.setdefault(delivery.reason.replace(file.filename, ""), []).append(
                    _sentence(delivery.reason)
                )
    return [
        first if not others else f"{first} (The same for {len(others)} more.)"
        for first, *others in list(by_text.values())[:MAX_REASONS]
    ]


def _sentence(reason: str) -> str:
    """Return a reason as a sentence: those of a plan are parts of one.

    >>> _sentence("the filename exists with other bytes")
    'The filename exists with other bytes.'
    >>> _sentence("disk/sample-1.0.tar.gz cannot be written.")
    'disk/sample-1.0.tar.gz cannot be written.'
    """
    # A URL, a path or a filename at the beginning keeps its case.
    start = f"{reason[:1].upper()}{reason[1:]}" if _LOWER_CASE_WORD.match(reason) else reason
    return f"{start}{'' if reason.endswith(('.', '!', '?')) else '.'}"
