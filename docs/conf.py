"""The Sphinx configuration of the documentation. Build it with ``make docs``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for the package `generators`

from generators.commands import manual_pages

from wheelrelay.version import __version__

project = "wheelrelay"
author = copyright = "The wheelrelay developers"  # noqa: A001  (Sphinx names it so)
version = release = __version__

extensions = [
    "generators",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
root_doc = "index"
exclude_patterns = ["generators", "pictures", "remotes"]
default_role = "py:obj"  # docstrings write `Sink.put`
nitpick_ignore_regex = [(r"py:.*", r".*")]  # a public docstring may name private objects

myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
smartquotes = False  # they would turn --yes into a dash
suppress_warnings = ["myst.xref_ambiguous"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"wheelrelay {__version__}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None

man_pages = [
    ("reference/commands", "wheelrelay", "move Python distribution files to package indexes", author, 1),
    *((page, name, summary, author, 1) for page, name, summary in manual_pages()),
]
man_show_urls = True
