"""pyftpdlib: a real FTP server within the test's own process, with answers that a test can spoil."""

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.process import HOST

with warnings.catch_warnings():  # Python 3.11 says of asyncore that it will go
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import ThreadedFTPServer

USER, PASSWORD = "ci", "s3cret"


@dataclass(slots=True)
class FtpServer:
    """An FTP server that runs.

    Attributes:
        url: of its root, without a slash at the end.
        root: the folder that it serves.
        faults: answers to the next commands of a name, as ``MKD``, in place of carrying them out; an empty
            one closes the connection.
        commands: all commands so far, with their arguments.
        shorten: bytes that the next file that is stored loses, as on a full disk.
        break_after_start: the name of a file whose next request for a later part closes the connection.
    """

    url: str
    root: Path
    faults: list[tuple[str, str]] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)
    shorten: int = 0
    break_after_start: str = ""

    def fault_of(self, command: str) -> str | None:
        """The answer that spoils this command, if there is one; used up by that."""
        found = next((fault for fault in self.faults if fault[0] == command), None)
        if found is None:
            return None
        self.faults.remove(found)
        return found[1]

    def breaks(self, command: str) -> bool:
        """Whether this command asks for a later part of the file that is to break."""
        if command != "RETR" or not self.break_after_start:
            return False
        (previous, offset), (_, path) = self.commands[-2:]
        if previous != "REST" or offset == "0" or not path.endswith(self.break_after_start):
            return False
        self.break_after_start = ""
        return True

    def names(self, folder: str) -> list[str]:
        """What lies in a folder, sorted."""
        return sorted(path.name for path in (self.root / folder).iterdir())


@contextmanager
def run_ftp(root: Path) -> Iterator[FtpServer]:
    """Serve ``root`` to one user, who may do everything."""
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
    thread = threading.Thread(target=server.serve_forever, kwargs={"timeout": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.close_all()
        thread.join()
