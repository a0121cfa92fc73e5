"""A folder as a web server shows it: ``python -m tests.benchmarks.servers.source FOLDER PORT [CERTIFICATE]``.

A folder's page is its ``index.html``, or else a listing made of links.
"""

import sys
from pathlib import Path

from tests.benchmarks.servers.web import Exchange, serve


class Source:
    """Answers with the files below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def handle(self, exchange: Exchange) -> None:
        """Answer one request."""
        path = self._folder / exchange.path.partition("?")[0].strip("/")
        if (page := path / "index.html").is_file():
            path = page
        if path.is_file():
            exchange.answer_file(path)
        elif path.is_dir():
            links = [f'<a href="{one.name}">{one.name}</a>\n' for one in sorted(path.iterdir())]
            exchange.answer("".join(links).encode(), content_type="text/html; charset=utf-8")
        else:
            exchange.answer(status=404)


if __name__ == "__main__":
    folder, port, *certificate = sys.argv[1:]
    serve(int(port), Source(Path(folder)).handle, *map(Path, certificate))
