"""An SFTP server with paramiko: the real protocol for a real folder, with configurable faults.

It renames like OpenSSH: the plain operation refuses a taken name, and the extension overwrites.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko

from tests.servers.process import HOST

USER, PASSWORD = "ci", "s3cret"


@dataclass(slots=True)
class SftpServer:
    """A running SFTP server.

    Attributes:
        url: of its root, without a slash at the end.
        root: the folder that it serves.
        faults: operations, such as ``stat``, whose next call fails with SFTP's general failure; one of the
            form ``stat ok`` lets the next call succeed.
        replaces: whether the plain operation overwrites, as on some servers.
        extended: whether it has OpenSSH's extension.
    """

    url: str
    root: Path
    faults: list[str] = field(default_factory=list)
    replaces: bool = False
    extended: bool = True

    def fails(self, operation: str) -> bool:
        """Return whether this call fails."""
        found = next((fault for fault in self.faults if fault.split()[0] == operation), None)
        if found:
            self.faults.remove(found)
        return found == operation

    def names(self, folder: str) -> list[str]:
        """Return the sorted names in a folder."""
        return sorted(path.name for path in (self.root / folder).iterdir())


class _Folder(paramiko.SFTPServerInterface):
    def __init__(self, server: "_Login", *arguments: Any, **keys: Any) -> None:
        super().__init__(server, *arguments, **keys)
        self._state = server.state

    def _at(self, path: str) -> Path:
        return self._state.root / self.canonicalize(path).lstrip("/")

    def stat(self, path: str) -> Any:
        if self._state.fails("stat"):
            return paramiko.SFTP_FAILURE
        return _answer(lambda: paramiko.SFTPAttributes.from_stat(self._at(path).stat()))

    lstat = stat

    def list_folder(self, path: str) -> Any:
        if self._state.fails("list_folder"):
            return paramiko.SFTP_FAILURE
        return _answer(lambda: list(_entries(self._at(path))))

    def open(self, path: str, flags: int, attr: Any) -> Any:
        del attr
        if self._state.fails("open"):
            return paramiko.SFTP_FAILURE
        return _answer(lambda: _handle(self._at(path), flags))

    def rename(self, oldpath: str, newpath: str) -> Any:
        if self._state.fails("rename"):
            return paramiko.SFTP_FAILURE
        if self._state.replaces:
            return _done(lambda: self._at(oldpath).replace(self._at(newpath)))

        def link_and_unlink() -> None:
            os.link(self._at(oldpath), self._at(newpath))
            self._at(oldpath).unlink()

        return _done(link_and_unlink)

    def posix_rename(self, oldpath: str, newpath: str) -> Any:
        if not self._state.extended:
            return paramiko.SFTP_OP_UNSUPPORTED
        if self._state.fails("posix_rename"):
            return paramiko.SFTP_FAILURE
        return _done(lambda: self._at(oldpath).replace(self._at(newpath)))

    def remove(self, path: str) -> Any:
        return _done(lambda: self._at(path).unlink())

    def mkdir(self, path: str, attr: Any) -> Any:
        del attr
        return _done(lambda: self._at(path).mkdir())


class _Handle(paramiko.SFTPHandle):
    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


class _Login(paramiko.ServerInterface):
    def __init__(self, state: SftpServer) -> None:
        self.state = state

    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == (USER, PASSWORD)
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        del kind, chanid
        return paramiko.OPEN_SUCCEEDED


def _entries(folder: Path) -> Iterator[paramiko.SFTPAttributes]:
    """Yield the entries of a folder; those that vanish meanwhile are left out, as by other servers."""
    for child in folder.iterdir():
        with suppress(FileNotFoundError):
            yield _entry(child)


def _entry(path: Path) -> Any:
    entry = paramiko.SFTPAttributes.from_stat(path.stat())
    entry.filename = path.name
    return entry


def _handle(path: Path, flags: int) -> Any:
    writing = flags & (os.O_WRONLY | os.O_RDWR)
    if flags & os.O_CREAT:
        path.touch(exist_ok=not flags & os.O_EXCL)
    stream = path.open(("wb+" if flags & os.O_TRUNC else "rb+") if writing else "rb")
    handle = _Handle(flags)
    handle.readfile = handle.writefile = stream
    return handle


def _answer(operation: Any) -> Any:
    try:
        return operation()
    except OSError as error:
        # OpenSSH reports only "failure" if a name is taken.
        return paramiko.SFTPServer.convert_errno(error.errno or 0)


def _done(operation: Any) -> Any:
    found = _answer(operation)
    return found if isinstance(found, int) else paramiko.SFTP_OK


@contextmanager
def run_sftp(root: Path) -> Iterator[SftpServer]:
    """Serve ``root`` to one user with all permissions."""
    key = paramiko.RSAKey.generate(2048)
    transports: list[paramiko.Transport] = []
    with socket.create_server((HOST, 0)) as listener:
        state = SftpServer(f"sftp://{HOST}:{listener.getsockname()[1]}", root)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    transport = paramiko.Transport(connection)
                    transports.append(transport)
                    transport.add_server_key(key)
                    transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Folder)
                    transport.start_server(threading.Event(), _Login(state))

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield state
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for transport in transports:
                transport.close()
