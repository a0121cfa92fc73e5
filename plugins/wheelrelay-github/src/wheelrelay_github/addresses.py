"""Addresses: of GitHub's own API, and the tags of releases, fixed or as a template for each version."""

import re
from dataclasses import dataclass
from functools import cached_property

from wheelrelay import DistFile

PUBLIC_API = "https://api.github.com"

PLACEHOLDER = re.compile(r"\{(\w*)\}")
NAMES = {"version", "project"}


@dataclass(frozen=True)
class TagTemplate:
    """A tag, in which ``{version}`` and ``{project}`` stand for those of a file.

    >>> TagTemplate("v{version}").matches("v1.0rc1")
    True

    Args:
        text: the template.
    """

    text: str

    @property
    def is_fixed(self) -> bool:
        """Whether it is one tag for all files."""
        return PLACEHOLDER.search(self.text) is None

    def tag_of(self, file: DistFile) -> str:
        """Return the tag of the release that a file belongs to."""
        values = {"version": str(file.version), "project": file.project}
        return PLACEHOLDER.sub(lambda found: values[found[1]], self.text)

    def matches(self, tag: str) -> bool:
        """Return whether the template can produce a tag."""
        return self._pattern.fullmatch(tag) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = PLACEHOLDER.split(self.text)  # text, name, text, name, ..., text
        return re.compile("".join(".+" if index % 2 else re.escape(part) for index, part in enumerate(parts)))


def validate_template(text: str) -> str:
    """Return a template, with surrounding spaces removed.

    Raises:
        ValueError: it is empty, or has an unknown placeholder.
    """
    text = text.strip()
    unknown = sorted(set(PLACEHOLDER.findall(text)) - NAMES)
    if not text:
        raise ValueError("a tag is not empty")
    if unknown or PLACEHOLDER.sub("", text).count("{"):
        raise ValueError("the placeholders of a tag are {version} and {project}")
    return text
