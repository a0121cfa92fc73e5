"""Links from a page to files of the repository that are no pages: they lead to the repository on GitHub."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REPOSITORY = "https://github.com/wheelrelay/wheelrelay"

PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "SECURITY.md": "security.md",
}
"""Files of the repository that a page includes, with that page."""

_LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)\s]*)?\))")


def to_repository(text: str, page: Path) -> str:
    """Return the Markdown of a page with links that work on the site.

    Args:
        text: The Markdown.
        page: The file that the text comes from; links are relative to it.
    """

    def replace(match: re.Match[str]) -> str:
        target = (page.parent / match[2]).resolve()
        if target.is_relative_to(DOCS) or not target.exists():  # Sphinx reports one that does not exist
            return match[0]
        name = target.relative_to(ROOT).as_posix()
        if name in PAGES:
            up = "../" * (len(page.relative_to(DOCS).parts) - 1)
            return f"{match[1]}{up}{PAGES[name]}{match[3]}"
        if package := re.fullmatch(r"plugins/([\w-]+)/README\.md", name):
            up = "../" * (len(page.relative_to(DOCS).parts) - 1)
            return f"{match[1]}{up}reference/packages/{package[1]}.md{match[3]}"
        kind = "tree" if target.is_dir() else "blob"
        return f"{match[1]}{REPOSITORY}/{kind}/main/{name}{match[3]}"

    return _LINK.sub(replace, text)


def included(path: Path, page: Path, section: str | None = None) -> str:
    """Return the Markdown of a file of the repository, with links as seen from a page that includes it.

    Args:
        path: The file.
        page: The page, below ``docs/``.
        section: The title of the section to include, without the title itself. [default: the whole file]
    """
    text = path.read_text(encoding="utf-8")
    if section is not None:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    up = Path("../" * len(page.parent.relative_to(ROOT).parts))
    folder = path.parent.relative_to(ROOT).as_posix()

    def relative(match: re.Match[str]) -> str:
        return f"{match[1]}{(up / folder / match[2]).as_posix()}{match[3]}"

    return to_repository(_LINK.sub(relative, text), page)
