"""The HTML form of the Simple API (PEP 503) for installers and people, and one page of all files.

Installers read only the links, which are those of files. The pages work without JavaScript, on a phone, and
with the keyboard alone. Nothing else is loaded.
"""

import re
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from typing import NamedTuple

from packaging.version import Version

from wheelrelay.containers.index_pages.about import NOT_DESCRIBED, About
from wheelrelay.containers.index_pages.entry import IndexedFile, href, in_order
from wheelrelay.containers.index_pages.style import page
from wheelrelay.matrix import Matrix, matrix_of
from wheelrelay.model import ACTIVE, PROVENANCE_SUFFIX, ProjectStatus

COMMANDS = ("pip install --index-url ADDRESS {}", "uv pip install --default-index ADDRESS {}")
"""The commands that install a project."""


class _Release(NamedTuple):
    """The files of one version."""

    version: Version
    files: list[IndexedFile]

    @property
    def anchor(self) -> str:
        """The fragment of its address."""
        return f"v{self.version}"


def root_html(projects: Iterable[str]) -> bytes:
    """Return the list of all projects, for ``simple/index.html``, with a field that searches it.

    It has only the names: each line is one more than once the name and 30 bytes, and changes of files do
    not change it.

    Args:
        projects: Normalised names.
    """
    names = sorted(projects)
    links = "".join(f'<li><a href="{escape(name)}/">{escape(name)}</a></li>\n' for name in names)
    count = "1 project" if len(names) == 1 else f"{len(names)} projects"
    body = (
        f'<p class="soft">{count}.</p>\n<ul class="projects" data-search="Search projects">\n{links}</ul>\n'
    )
    return page("Simple index", body if names else "<p>This index is empty.</p>\n")


def project_html(project: str, files: Iterable[IndexedFile], about: About = NOT_DESCRIBED) -> bytes:
    """Return the files of one project, for ``simple/<project>/index.html``, two folders below the files.

    Releases are listed from the newest to the oldest, and folded except for the newest final one, whose
    wheels are also shown as a matrix.

    Args:
        project: Normalised name.
        files: Files of the project.
        about: Its summary and links.
    """
    entries = list(files)
    status = entries[0].status if entries else ACTIVE
    releases = _releases(file for file in entries if file.is_offered)
    newest = _newest(releases)
    body = [
        '<p><span data-href="../">All projects</span></p>\n',
        *_notice(status),
        *_description(about),
        *_install(project),
        *(_matrix_of(newest) if newest else ()),
        *_contents(releases),
    ]
    body += [_release(release, is_open=release == newest) for release in releases]
    return page(f"Links for {project}", "".join(body), heading=project, meta=_status_meta(status))


def flat_html(files: Iterable[IndexedFile]) -> bytes:
    """Return all files, for ``index.html`` in their folder: for people and ``pip --find-links``."""
    ordered = sorted(in_order(files), key=lambda file: (_project_of(file), file.version, _natural(file)))
    links = "".join(f"<li>{_link(file, '')}</li>\n" for file in ordered if file.is_offered)
    by_project = '<p class="soft">Files by project: <span data-href="simple/">simple/</span>.</p>\n'
    return page("All files", f'{by_project}<ul data-search="Search files">\n{links}</ul>\n')


def flat_projects_html(projects: Iterable[str]) -> bytes:
    """Return ``index.html`` for a folder of too many files to list: it links to the pages of the projects.

    Args:
        projects: Normalised names.
    """
    links = "".join(
        f'<li><a href="simple/{escape(name)}/">{escape(name)}</a></li>\n' for name in sorted(projects)
    )
    note = "This folder has too many files for one page. Installers: use <code>simple/</code> as the index."
    listed = f'<ul class="projects" data-search="Search projects">\n{links}</ul>\n'
    return page("All projects", f'<p class="soft">{note}</p>\n{listed}')


def _status_meta(status: ProjectStatus) -> str:
    """Return the elements of PEP 792; without them, a project is active."""
    if status == ACTIVE:
        return ""
    meta = f'<meta name="pypi:project-status" content="{escape(status.status)}">\n'
    if status.reason is not None:
        meta += f'<meta name="pypi:project-status-reason" content="{escape(status.reason)}">\n'
    return meta


def _notice(status: ProjectStatus) -> Iterator[str]:
    """Yield a paragraph for people if the project is not active."""
    if status != ACTIVE:
        reason = f": {escape(status.reason)}" if status.reason else "."
        yield f'<p><strong class="bad">This project is {escape(status.status)}</strong>{reason}</p>\n'


def _releases(files: Iterable[IndexedFile]) -> list[_Release]:
    """Return the files of each version, the newest first."""
    grouped = groupby(in_order(files), key=lambda file: file.version)
    return [_Release(version, sorted(entries, key=_natural)) for version, entries in grouped][::-1]


def _newest(releases: Iterable[_Release]) -> _Release | None:
    """Return the release that installers choose: the newest final one, or else the newest."""
    return max(
        releases,
        key=lambda release: (not _is_yanked(release), not release.version.is_prerelease, release.version),
        default=None,
    )


def _is_yanked(release: _Release) -> bool:
    return all(file.yanked is not None for file in release.files)


def _natural(file: IndexedFile) -> list[tuple[int, str]]:
    """Return a key that sorts numbers in filenames by their value: cp39 before cp310."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", file.filename)]


def _project_of(file: IndexedFile) -> str:
    return re.sub(r"[-_.]+", "-", file.filename.partition("-")[0]).lower()


def _description(about: About) -> Iterator[str]:
    """Yield the summary and the links of a project."""
    if about.summary:
        yield f"<p>{escape(about.summary)}</p>\n"
    if about.links:
        links = "".join(
            f'<li><span data-href="{escape(url)}">{escape(label)}</span></li>\n' for label, url in about.links
        )
        yield f'<ul class="links" aria-label="Links of the project">\n{links}</ul>\n'


def _install(project: str) -> Iterator[str]:
    """Yield the commands that install the project; a script inserts the address of the index."""
    hint = "ADDRESS is the address of this page up to and including <code>simple/</code>."
    for command in COMMANDS:
        text = command.format(escape(project))
        yield f'<div data-command="{text}" data-index="../"><pre><code>{text}</code></pre></div>\n'
    yield f'<noscript><p class="soft">{hint}</p></noscript>\n'


def _contents(releases: list[_Release]) -> Iterator[str]:
    """Yield links to the releases, if there are several."""
    if len(releases) > 1:
        links = "".join(
            f'<li><span data-href="#{escape(release.anchor)}">{escape(str(release.version))}</span></li>\n'
            for release in releases
        )
        yield f'<h2>Releases</h2>\n<ul class="links" aria-label="Releases">\n{links}</ul>\n'


def _release(release: _Release, *, is_open: bool) -> str:
    """Return the files of a release; a browser shows them when its heading is chosen."""
    version = escape(str(release.version))
    marks = [
        *(["pre-release"] if release.version.is_prerelease else []),
        *(["yanked"] if _is_yanked(release) else []),
    ]
    shown = "".join(f' <span class="mark">{mark}</span>' for mark in marks)
    size, count = _size(sum(file.size for file in release.files)), len(release.files)
    files = f"{count} file{'s' if count != 1 else ''}, {size}"
    return (
        f'<details id="{escape(release.anchor)}"{" open" if is_open else ""}>\n'
        f'<summary><h2>{version}</h2>{shown} <span class="soft">{files}</span></summary>\n'
        f"{_table(version, release.files)}</details>\n"
    )


def _matrix_of(release: _Release) -> Iterator[str]:
    wheels = [file.filename for file in release.files if file.filename.endswith(".whl")]
    if wheels:
        yield f"<h2>Wheels of {escape(str(release.version))}</h2>\n{_matrix(matrix_of(wheels))}"


def _matrix(matrix: Matrix) -> str:
    heads = "".join(f'<th scope="col">{escape(python)}</th>' for python in matrix.pythons)
    rows = "".join(
        f'<tr><th scope="row">{escape(platform)}</th>'
        + "".join(_mark(len(matrix.cell(platform, python).files)) for python in matrix.pythons)
        + "</tr>\n"
        for platform in matrix.platforms
    )
    head = f"<thead><tr><td></td>{heads}</tr></thead>"
    return f'<table class="matrix">\n{head}\n<tbody>\n{rows}</tbody>\n</table>\n'


def _mark(count: int) -> str:
    return f"<td>✓{count if count > 1 else ''}</td>" if count else "<td></td>"


def _table(version: str, entries: Iterable[IndexedFile]) -> str:
    rows = "".join(_row(file) for file in entries)
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("File", "Python", "Date"))
    head = f'<thead><tr>{heads}<th scope="col" class="num">Size</th></tr></thead>'
    label = f"Files of {version}"
    return f'<table class="files" aria-label="{label}">\n{head}\n<tbody>\n{rows}</tbody>\n</table>\n'


def _row(file: IndexedFile) -> str:
    yanked = f' <strong class="bad">yanked {escape(file.yanked)}</strong>' if file.yanked is not None else ""
    date = f"{file.uploaded:%Y-%m-%d}" if file.uploaded else ""
    return (
        f'<tr><td>{_link(file, "../../")}{yanked} <span class="sha">sha256 {escape(file.sha256)}</span></td>'
        f'<td data-label="Python">{escape(file.requires_python or "")}</td>'
        f'<td data-label="Date">{date}</td><td data-label="Size" class="num">{_size(file.size)}</td></tr>\n'
    )


def _size(size: int) -> str:
    """Format a size in decimal units.

    >>> _size(999), _size(7_400_000)
    ('999 B', '7.4 MB')
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


def _link(file: IndexedFile, up: str) -> str:
    attributes = {
        "href": f"{href(file.filename, up)}#sha256={file.sha256}",
        "data-requires-python": file.requires_python,
        "data-core-metadata": f"sha256={file.metadata_sha256}" if file.metadata_sha256 else None,
        "data-yanked": file.yanked,
        "data-gpg-sig": "true" if file.signed else None,
        "data-provenance": href(file.filename + PROVENANCE_SUFFIX, up) if file.has_provenance else None,
    }
    present = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items() if value is not None)
    return f"<a {present}>{escape(file.filename)}</a>"
