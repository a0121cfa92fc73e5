"""The style sheet and the script of the pages.

Both are part of each page, and nothing else is loaded: the page's Content Security Policy allows just these
two by their digests. The pages work without the script.
"""

import hashlib
from base64 import b64encode

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
