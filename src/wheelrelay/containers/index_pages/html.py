"""The HTML form of the Simple API (PEP 503) for installers and people, and one page of all files.

Installers read only the links. The pages work without JavaScript, on a phone, and with the keyboard alone.
Their style sheet and script are part of each page, and nothing else is loaded: the page's Content Security
Policy allows just these two by their digests.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby

from wheelrelay.containers.index_pages.entry import REPOSITORY_VERSION, IndexedFile, href, in_order
from wheelrelay.matrix import Matrix, matrix_of
from wheelrelay.model import ACTIVE, PROVENANCE_SUFFIX, ProjectStatus

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--link:#0550ae;--paper:#fff;
--box:#f6f8fa;--yes:#116329;--bad:#a40e26}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b1;--line:#30363d;--link:#79b8ff;
--paper:#0d1117;--box:#161b22;--yes:#56d364;--bad:#ff9492}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;color:var(--ink);
background:var(--paper);overflow-wrap:anywhere}
h1{font-size:1.6rem;margin:.2rem 0 1rem}
h2{font-size:1.15rem;margin:2rem 0 .5rem}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
code,.sha{font-family:ui-monospace,monospace;font-size:.8em}
.soft,.sha{color:var(--soft)}
.bad{color:var(--bad)}
pre{background:var(--box);border:1px solid var(--line);border-radius:6px;padding:.7rem;margin:.3rem 0;
white-space:pre-wrap}
button{font:inherit;font-size:.85rem;padding:.2rem .7rem;border:1px solid var(--line);border-radius:6px;
background:var(--box);color:var(--ink)}
table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid var(--line);padding:.35rem .5rem;text-align:left;vertical-align:top}
thead th{color:var(--soft);font-weight:600;font-size:.85rem}
.num{text-align:right;white-space:nowrap}
.sha{display:block;font-size:.7rem}
.matrix{width:auto}
.matrix th,.matrix td{padding:.2rem .5rem;font-size:.9rem}
.matrix td{text-align:center;color:var(--yes)}
.matrix tbody th{font-weight:400}
ul{padding-left:1.2rem}
.projects{columns:14rem;list-style:none;padding:0}
@media(max-width:40rem){.files thead{display:none}.files tr,.files td{display:block;border:0;padding:0}
.files tr{border-bottom:1px solid var(--line);padding:.5rem 0}
.files td+td{display:inline-block;margin-right:1rem;font-size:.85rem;text-align:left}
.files td:empty{display:none}.files td+td::before{content:attr(data-label) ": ";color:var(--soft)}
.matrix th,.matrix td{padding:.2rem;font-size:.8rem}
.matrix thead th{writing-mode:vertical-rl}}
"""

SCRIPT = """
for(const box of document.querySelectorAll("[data-command]")){
const code=box.querySelector("code"),index=new URL(box.dataset.index,location.href).href;
code.textContent=box.dataset.command.replace("ADDRESS",index);
if(!navigator.clipboard)continue;
const button=document.createElement("button");button.type="button";button.textContent="Copy";
button.onclick=()=>navigator.clipboard.writeText(code.textContent).then(()=>button.textContent="Copied");
box.append(button)}
"""


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; style-src {_digest(STYLE)}; script-src {_digest(SCRIPT)}; "
    "base-uri 'none'; form-action 'none'"
)
"""The Content Security Policy of each page."""


_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="pypi:repository-version" content="{version}">
{meta}<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{heading}</h1>
{body}</main>
<script>{script}</script>
</body>
</html>
"""


def root_html(projects: Iterable[str]) -> bytes:
    """Return the list of all projects, for ``simple/index.html``.

    Args:
        projects: Normalised names.
    """
    names = sorted(projects)
    links = "".join(f'<li><a href="{escape(name)}/">{escape(name)}</a></li>\n' for name in names)
    count = "1 project" if len(names) == 1 else f"{len(names)} projects"
    body = f'<p class="soft">{count}.</p>\n<ul class="projects">\n{links}</ul>\n'
    return _page("Simple index", body if names else "<p>This index is empty.</p>\n")


def project_html(project: str, files: Iterable[IndexedFile]) -> bytes:
    """Return the files of one project, for ``simple/<project>/index.html``, two folders below the files.

    Releases are listed from the newest to the oldest. The wheels of the newest are also shown as a matrix.

    Args:
        project: Normalised name.
        files: Files of the project.
    """
    entries = list(files)
    status = entries[0].status if entries else ACTIVE
    releases = _releases(file for file in entries if file.is_offered)
    body = [*_notice(status), _install(project), *(_newest_matrix(*releases[0]) if releases else ())]
    for version, entries in releases:
        body.append(f"<h2>{escape(version)}</h2>\n{_table(version, entries)}")
    return _page(f"Links for {project}", "".join(body), heading=project, meta=_status_meta(status))


def flat_html(files: Iterable[IndexedFile]) -> bytes:
    """Return all files, for ``index.html`` in their folder: for people and ``pip --find-links``."""
    links = "".join(f"<li>{_link(file, '')}</li>\n" for file in in_order(files) if file.is_offered)
    by_project = '<p class="soft">Files by project: see the folder <code>simple/</code>.</p>\n'
    return _page("All files", f"{by_project}<ul>\n{links}</ul>\n")


def flat_projects_html(projects: Iterable[str]) -> bytes:
    """Return ``index.html`` for a folder of too many files to list: it links to the pages of the projects.

    Args:
        projects: Normalised names.
    """
    links = "".join(
        f'<li><a href="simple/{escape(name)}/">{escape(name)}</a></li>\n' for name in sorted(projects)
    )
    note = "This folder has too many files for one page. Installers: use <code>simple/</code> as the index."
    return _page("All projects", f'<p class="soft">{note}</p>\n<ul class="projects">\n{links}</ul>\n')


def _page(title: str, body: str, *, heading: str | None = None, meta: str = "") -> bytes:
    return _PAGE.format(
        title=escape(title),
        heading=escape(heading or title),
        body=body,
        meta=meta,
        version=REPOSITORY_VERSION,
        policy=escape(POLICY),
        style=STYLE,
        script=SCRIPT,
    ).encode("utf-8", "replace")


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


def _releases(files: Iterable[IndexedFile]) -> list[tuple[str, list[IndexedFile]]]:
    """Return the files of each version, the newest first."""
    grouped = groupby(in_order(files), key=lambda file: file.version)
    return [(str(version), list(entries)) for version, entries in grouped][::-1]


def _install(project: str) -> str:
    """Return the command that installs the project; a script inserts the address of the index."""
    command = f"pip install --index-url ADDRESS {escape(project)}"
    hint = "ADDRESS is the address of this page up to and including <code>simple/</code>."
    return (
        f'<div data-command="{command}" data-index="../"><pre><code>{command}</code></pre>'
        f'<noscript><p class="soft">{hint}</p></noscript></div>\n'
    )


def _newest_matrix(version: str, entries: list[IndexedFile]) -> Iterator[str]:
    wheels = [file.filename for file in entries if file.filename.endswith(".whl")]
    if wheels:
        yield f"<h2>Wheels of {escape(version)}</h2>\n{_matrix(matrix_of(wheels))}"


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
    label = f"Files of {escape(version)}"
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
