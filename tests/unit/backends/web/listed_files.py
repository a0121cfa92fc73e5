"""Files that the tests read from pages of links."""

from wheelrelay.backends.web.listing import ListingConfig, ListingSource

WHEEL = "foo-1.0-py3-none-any.whl"


OTHER = "foo-1.1-py3-none-any.whl"


def files_at(url, project=None, *, recursive=False):
    with ListingConfig(url=url, recursive=recursive).open() as source:
        assert isinstance(source, ListingSource)
        return list(source.iter_files(project))


def names_at(url, project=None, *, recursive=False):
    return [file.filename for file in files_at(url, project, recursive=recursive)]


def page(*hrefs):
    return "<html><body>" + "\n".join(f'<a href="{href}">link</a>' for href in hrefs) + "</body></html>"
