"""What all pages have in common: the style sheet, the script, and the policy that allows only these.

Installers take every link of a page for a file, and some fail at others. So addresses of other pages are in
``data-href``, and the script makes links of them.
"""

import hashlib
from base64 import b64encode
from html import escape

from wheelrelay.containers.index_pages.entry import REPOSITORY_VERSION

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
.projects li[hidden]{display:none}
input{font:inherit;width:100%;padding:.4rem .6rem;border:1px solid var(--soft);border-radius:6px;
background:var(--paper);color:var(--ink)}
summary{cursor:pointer;padding:.3rem 0}
summary h2{display:inline;margin:0}
details{border-top:1px solid var(--line);margin-top:.5rem}
.mark{font-size:.8rem;border:1px solid var(--soft);border-radius:6px;padding:0 .4rem}
.links{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;padding:0}
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
for(const place of document.querySelectorAll("[data-href]")){
const link=document.createElement("a");link.href=place.dataset.href;link.textContent=place.textContent;
if(place.dataset.href.startsWith("http"))link.rel="nofollow noreferrer";place.replaceWith(link)}
const unfold=()=>{const release=document.getElementById(decodeURIComponent(location.hash.slice(1)));
if(release&&release.tagName=="DETAILS"){release.open=true;release.scrollIntoView()}};
addEventListener("hashchange",unfold);unfold();
for(const list of document.querySelectorAll("[data-search]")){
const field=document.createElement("input"),label=document.createElement("label"),rows=[...list.children];
field.type="search";field.id="search";field.autocomplete="off";label.htmlFor="search";
label.textContent=list.dataset.search;const count=document.createElement("p");count.className="soft";
count.setAttribute("role","status");list.before(label,field,count);
const plain=text=>text.toLowerCase().replace(/[-_.]+/g,"-"),names=rows.map(row=>plain(row.textContent));
const find=()=>{const words=plain(field.value).split(/\\s+/);let shown=0;
rows.forEach((row,number)=>{row.hidden=!words.every(word=>names[number].includes(word));shown+=!row.hidden});
count.textContent=field.value?shown+" of "+rows.length:""};
field.oninput=find;find()}
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


def page(title: str, body: str, *, heading: str | None = None, meta: str = "") -> bytes:
    """Return a whole page.

    Args:
        title: The title of the window.
        body: What follows the heading, as HTML.
        heading: The heading. [default: the title]
        meta: Further elements of the head, as HTML.
    """
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
