"""Pages of the Simple API for the tests, and the files that are read from them."""

import json

from wheelrelay.backends.index.simple_api import JSON_TYPE

WHEEL = "foo-1.0-py3-none-any.whl"


HTML_TYPE = "application/vnd.pypi.simple.v1+html"


def json_page(*files, **more):
    described = [{"url": f"/files/{file['filename']}", "hashes": {}, **file} for file in files]
    return json.dumps({"meta": {"api-version": "1.0"}, "name": "foo", "files": described, **more}).encode()


def serve_json(web, *files, **more):
    return web.serve("/simple/foo/", json_page(*files, **more), content_type=JSON_TYPE)


def serve_html(web, body, **options):
    page = f"<!DOCTYPE html><html><head><title>Links for foo</title></head><body>{body}</body></html>"
    return web.serve("/simple/foo/", page, **options)


def files_of(api, project="foo"):
    return list(api.files(project, fresh=False))


def names_of(api, project="foo"):
    return [file.filename for file in files_of(api, project)]


def only(api):
    [file] = files_of(api)
    return file
