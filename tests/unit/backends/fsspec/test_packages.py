"""The error for a protocol whose package is not installed names the command that installs it."""

import re
import sys

import pytest
from fsspec.registry import _registry, known_implementations

from wheelrelay.backends.fsspec import FsspecConfig
from wheelrelay.backends.fsspec.packages import REQUIREMENTS, install_command
from wheelrelay.errors import PluginLoadError

NAMED_OTHERWISE_BY_FSSPEC = {
    "abfss": "adlfs",  # the text is about an entry point
    "gdrive": "gdrive-fsspec",  # the text has an earlier name
    "libarchive": "libarchive-c",  # the text has no name
    "pyscript": "pyscript-fsspec-client",  # the text is about the system that it needs
}


def needs_a_package(protocol):
    return "err" in known_implementations[protocol]


def words(text):
    return set(re.findall(r"[a-z0-9]+", text.lower()))


@pytest.mark.parametrize("protocol", sorted(filter(needs_a_package, known_implementations)))
def test_each_protocol_of_fsspec_has_a_command_with_the_packages_that_fsspec_names(protocol):
    command = install_command(protocol)
    assert command.startswith("pip install ")
    if protocol in NAMED_OTHERWISE_BY_FSSPEC:
        assert command == f"pip install {NAMED_OTHERWISE_BY_FSSPEC[protocol]}"
        return
    names = re.sub(r"\[\w+\]", "", command.removeprefix("pip install "))
    assert words(names) <= words(known_implementations[protocol]["err"])


def test_protocols_that_need_no_package_have_no_command():
    without = [name for name in known_implementations if not needs_a_package(name)]
    assert [name for name in without if install_command(name)] == []
    assert set(REQUIREMENTS) <= set(known_implementations)


@pytest.mark.parametrize(
    ("url", "module", "command"),
    [
        ("smb://host/share", "smbclient", "pip install smbprotocol"),
        ("simplecache::sftp://host/wheels", "paramiko", "pip install paramiko"),
        ("webdav://host/wheels", "webdav4", "pip install 'webdav4[fsspec]'"),
        ("libarchive://x::memory://w.7z", "libarchive", "pip install libarchive-c"),
        ("gs://bucket", "gcsfs", "pip install 'wheelrelay[gcs]'"),
        ("simplecache::gs://bucket", "gcsfs", "pip install gcsfs"),
    ],
)
def test_missing_package_is_named_with_the_command(url, module, command, monkeypatch):
    monkeypatch.delitem(sys.modules, "fsspec.implementations.sftp", raising=False)
    monkeypatch.delitem(_registry, "sftp", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PluginLoadError) as caught, FsspecConfig(url=url).open():
        pass
    assert f"needs the package {module}, which is not installed" in str(caught.value)
    assert caught.value.hint == f"Install it: {command}."
