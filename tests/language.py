"""Words and phrases that texts of this project avoid, with what to write instead."""

import re
from collections.abc import Iterator

REPLACEMENTS = {
    r"told": "reported, logged, shown",
    r"said|says": "report, state, require, declare",
    r"stands": "is",
    r"lies|lie|lay": "is stored",
    r"(?:is|are) there": "exists",
    r"what is there": "what exists",
    r"passed over": "ignored, skipped",
    r"looked for everywhere": "searched",
    r"by itself|by themselves": "independently, alone",
    r"as it should be|as they should be": "valid, complete",
    r"whoever|nobody|somebody|anybody": "no user, the caller",
    r"whence|wherefrom": "from where",
    r"beside(?!s)": "next to",
    r"(?:held?|holding|holds) against": "compared with, checked by",
    r"vouch(?:es|ed|ing)?": "trust, verify",
    r"shut": "closed, refused",
    r"of (?:its|their|our) own": "own, separate",
    r"gives (?:back|out)": "returns, serves",
    r"ask(?:s|ed)? for": "request, configure",
    r"unforeseen": "unexpected",
    r"house|rooms?|floors?|journeys?|ledger|crew|patience": "a term of the field",
    r"wires?|judges?|travels?|boards?": "a term of the field",
    r"in (?:its|their) place": "instead",
    r"has to be": "must be",
    r"give --": "use --",
    r"makes sure": "ensures",
    r"another's|others'": "other",
}
"""What to write instead, by regular expression; matched as whole words, in any case."""

_BANNED = [
    (re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE), advice)
    for pattern, advice in REPLACEMENTS.items()
]


def banned_words(text: str) -> Iterator[str]:
    """Yield the banned words and phrases of a text, with what to write instead."""
    flat = " ".join(text.split())
    for pattern, advice in _BANNED:
        for match in pattern.finditer(flat):
            context = flat[max(match.start() - 30, 0) : match.end() + 30]
            yield f"{match[0]!r} in {context!r}: write {advice}"
