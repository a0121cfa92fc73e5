"""A Sphinx extension that makes the reference from the code: commands, keys, checks, remotes and more.

A page has a comment such as ``<!-- generated: checks -->`` where generated Markdown belongs. Pages that
exist once for each command or type of remote are written below ``docs/reference/`` and are not committed.
So no generated text can be out of date.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators import api, checks, commands, configuration, errors, links, remotes, schemas, settings

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TABLES: Mapping[str, Callable[[], str]] = {
    "checks": checks.sections,
    "commands": commands.table,
    "configuration-engines": configuration.engines,
    "configuration-remotes": configuration.remotes,
    "configuration-routes": configuration.routes,
    "configuration-tables": configuration.tables,
    "environment": settings.environment,
    "errors": errors.tree,
    "findings": checks.findings,
    "fsspec": remotes.fsspec,
    "pypi-rules": checks.pypi_rules,
    "pypi-rules-uncheckable": checks.uncheckable,
    "remote-capabilities": remotes.capabilities,
    "remote-types": remotes.types,
    "schemas": schemas.documents,
}
"""What makes the Markdown of each placeholder."""

PLACEHOLDER = re.compile(r"^<!-- generated: ([\w-]+) -->$", re.MULTILINE)
INCLUDED = re.compile(r"^<!-- included: ([^\s#]+)(?:#(.+))? -->$", re.MULTILINE)


def setup(app: "Sphinx") -> dict[str, Any]:
    """Connect the generators to Sphinx."""
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir)))
    app.connect("source-read", _read)
    app.connect("env-before-read-docs", _read_generated_again)
    app.connect("build-finished", schemas.copy)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def fill(text: str) -> str:
    """Return a page with its placeholders replaced by generated Markdown."""
    return PLACEHOLDER.sub(lambda match: TABLES[match[1]]().rstrip("\n"), text)


def write_pages(folder: Path) -> None:
    """Write the pages of commands, remotes and packages below the documentation's folder."""
    pages = {**api.pages(), **commands.pages(), **remotes.pages()}
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    folders = {folder / Path(name).parent for name in pages}
    for path in (path for folder in folders for path in folder.glob("*.md")):
        if str(path.relative_to(folder)) not in pages:
            path.unlink()  # of a command or type that no longer exists


def _read(app: "Sphinx", document: str, content: list[str]) -> None:
    page = Path(app.srcdir) / f"{document}.md"
    text = INCLUDED.sub(lambda match: links.included(links.ROOT / match[1], page, match[2]), content[0])
    content[0] = links.to_repository(fill(text), page)


def _read_generated_again(app: "Sphinx", _: object, documents: list[str]) -> None:
    """Read pages with placeholders in every build: the code that they are made from may have changed."""
    for document in app.project.docnames:
        path = Path(app.srcdir) / f"{document}.md"
        if document not in documents and path.is_file() and "<!-- " in path.read_text("utf-8"):
            documents.append(document)
