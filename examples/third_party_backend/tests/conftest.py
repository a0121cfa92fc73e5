"""A real WebDAV server, wsgidav, on a free port of the loopback interface."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cheroot.wsgi import Server
from wsgidav.wsgidav_app import WsgiDAVApp


@pytest.fixture
def folder_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty folder for the user ``ci``; the password is in ``DAV_PASSWORD``."""
    (tmp_path / "dav" / "wheels").mkdir(parents=True)
    monkeypatch.setenv("DAV_PASSWORD", "s3cret")
    users = {"*": {"ci": {"password": "s3cret"}}}
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/": str(tmp_path / "dav")},
            "simple_dc": {"user_mapping": users},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "verbose": 0,
        }
    )
    server = Server(("127.0.0.1", 0), app, numthreads=20)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}/wheels/"
    finally:
        server.stop()
        thread.join()
