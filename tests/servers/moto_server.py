"""Run moto so that its requests are atomic, as those of S3 are: ``python -m tests.servers.moto_server PORT``.

moto answers in several threads, but closes the buffer of an object when it is replaced, and computes its ETag
on the buffer that other threads read: readers then get an error 500 or an empty object.
"""

import sys
from collections.abc import Iterable
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple
from werkzeug.wsgi import get_input_stream

from tests.servers.process import HOST

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class AtomicRequests:
    """Handles one request at a time, after its body has arrived."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock = Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = get_input_stream(environ).read()
        environ["wsgi.input"] = BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("wsgi.input_terminated", None)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        with self._lock:
            return list(self._moto(environ, start_response))


if __name__ == "__main__":
    run_simple(HOST, int(sys.argv[1]), AtomicRequests(), threaded=True, request_handler=MotoRequestHandler)
