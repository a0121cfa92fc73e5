"""A real FTP server (pyftpdlib) in the test process, with configurable faults."""

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.process import HOST

with warnings.catch_warnings():  # Python 3.11 warns that asyncore is deprecated
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import ThreadedFTPServer

USER, PASSWORD = "ci", "s3cret"


@dataclass(slots=True)
class FtpServer:
    """A running FTP server.

    Attributes:
        url: of its root, without a slash at the end.
        root: the folder that it serves.
        faults: replies to the next commands with a name, such as ``MKD``, which are not executed; an empty
            one closes the connection.
        commands: all commands so far, with their arguments.
        shorten: bytes that the next stored file loses, as on a full disk.
        break_after_start: the name of a file whose next request for a later part closes the connection.
    """

    url: str
    root: Path
    faults: list[tuple[str, str]] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)
    shorten: int = 0
    break_after_start: str = ""

    def fault_of(self, command: str) -> str | None:
        """Return and remove the configured reply to this command, if any."""
        found = next((fault for fault in self.faults if fault[0] == command), None)
        if found is None:
            return None
        self.faults.remove(found)
        return found[1]

    def breaks(self, command: str) -> bool:
        """Return whether this command requests a later part of the file whose download breaks."""
        if command != "RETR" or not self.break_after_start:
            return False
        (previous, offset), (_, path) = self.commands[-2:]
        if previous != "REST" or offset == "0" or not path.endswith(self.break_after_start):
            return False
        self.break_after_start = ""
        return True

    def names(self, folder: str) -> list[str]:
        """Return the sorted names in a folder."""
        return sorted(path.name for path in (self.root / folder).iterdir())


@contextmanager
def run_ftp(root: Path) -> Iterator[FtpServer]:
    """Serve ``root`` to one user with all permissions."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(root), perm="elradfmwMT")

    class Handler(FTPHandler):
        def process_command(self, cmd: str, *args: Any, **kwargs: Any) -> None:
            state.commands.append((cmd, str(args[0]) if args else ""))
            fault = "" if state.breaks(cmd) else state.fault_of(cmd)
            if fault is None:
                super().process_command(cmd, *args, **kwargs)
            elif fault:
                self.respond(fault)
            else:
                self.close()

        def on_file_received(self, file: str) -> None:
            if state.shorten:
                os.truncate(file, Path(file).stat().st_size - state.shorten)
                state.shorten = 0

    Handler.authorizer = authorizer
    server = ThreadedFTPServer((HOST, 0), Handler)
    state = FtpServer(f"ftp://{HOST}:{server.address[1]}", root)
    is_closed = threading.Event()

    def serve() -> None:
        try:
            server.serve_forever(timeout=0.05)
        except OSError:  # its selector was closed while it waited
            if not is_closed.is_set():
                raise

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        is_closed.set()
        server.close_all()
        thread.join()
