"""Look through the places for credentials, one after the other, and tell where without telling what."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from wheelrelay.backends.index.credentials.request import CredentialRequest, Credentials, NoCredentials, Place

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NotFoundAnywhere:
    """No place has credentials.

    Attributes:
        reasons: why each has none, in the order of asking.
    """

    reasons: tuple[str, ...]

    def and_not_in(self, other: "NotFoundAnywhere") -> "NotFoundAnywhere":
        """The outcome of looking twice."""
        return NotFoundAnywhere(tuple(dict.fromkeys((*self.reasons, *other.reasons))))

    def __str__(self) -> str:
        return f"They were looked for everywhere: {'; '.join(self.reasons)}."


def look(wanted: CredentialRequest, places: Sequence[Place]) -> Credentials | NotFoundAnywhere:
    """The credentials of the first place that has some.

    Args:
        wanted: what for.
        places: where to look, in this order.

    Raises:
        MissingSecret: the configuration refers to a secret that is not there.
        ConfigError: a file cannot be read, or what was found cannot be sent.
        BackendError: the index refuses the identity of this job, or cannot be asked.
    """
    username: str | None = None
    reasons = []
    for place in places:
        found = place(wanted, username)
        if not isinstance(found, NoCredentials):
            logger.info("Credentials for %s come from %s.", wanted, found.found_in)
            return found
        logger.info("Credentials for %s: %s.", wanted, found.reason)
        username = username or found.username
        reasons.append(found.reason)
    return NotFoundAnywhere(tuple(reasons))
