"""Pages for installers and people: the HTML form of the Simple API (PEP 503), and one page of all files."""

from collections.abc import Iterable
from html import escape

from wheelrelay.simpleindex.entry import REPOSITORY_VERSION, IndexedFile, href, in_order

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="pypi:repository-version" content="{version}">
<title>{title}</title>
</head>
<body>
<h1>{title}</h1>
{body}</body>
</html>
"""


def root_page(projects: Iterable[str]) -> bytes:
    """The list of all projects, for ``simple/index.html``.

    Args:
        projects: normalised names.
    """
    links = "".join(f'<a href="{name}/">{name}</a><br>\n' for name in sorted(projects))
    return _page("Simple index", links)


def project_page(project: str, files: Iterable[IndexedFile]) -> bytes:
    """The files of one project, for ``simple/<project>/index.html``; they lie two folders up.

    Args:
        project: the normalised name.
        files: the project's files.
    """
    return _page(f"Links for {project}", _links(files, "../../"))


def flat_page(files: Iterable[IndexedFile]) -> bytes:
    """All files, for ``index.html`` beside them: for people, and for ``pip --find-links``."""
    return _page("All files", _links(files, ""))


def _page(title: str, body: str) -> bytes:
    return _PAGE.format(title=escape(title), body=body, version=REPOSITORY_VERSION).encode()


def _links(files: Iterable[IndexedFile], up: str) -> str:
    return "".join(f"{_link(file, up)}<br>\n" for file in in_order(files))


def _link(file: IndexedFile, up: str) -> str:
    attributes = {
        "href": f"{href(file.filename, up)}#sha256={file.sha256}",
        "data-requires-python": file.requires_python,
        "data-core-metadata": f"sha256={file.metadata_sha256}" if file.metadata_sha256 else None,
        "data-yanked": file.yanked,
        "data-gpg-sig": "true" if file.signed else None,
    }
    given = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items() if value is not None)
    return f"<a {given}>{escape(file.filename)}</a>"
