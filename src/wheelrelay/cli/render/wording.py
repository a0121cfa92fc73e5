"""Words that lines for people are made of."""

from wheelrelay.events import Step


def counted(number: int, what: str = "file") -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {what}{'s' if number != 1 else ''}"


VERBS = {
    Step.STAGE: "fetching and verifying",
    Step.SIGN: "signing",
    Step.PUBLISH: "publishing",
    Step.CONFIRM: "confirming",
}
