"""The packages that protocols of fsspec need, for the command that installs them."""

from collections.abc import Mapping
from types import MappingProxyType

from fsspec.registry import get_filesystem_class, known_implementations
from packaging.utils import canonicalize_name

from wheelrelay import plugins
from wheelrelay.config.fsspec_urls import parts_of_chain
from wheelrelay.errors import PluginLoadError
from wheelrelay.plugins import KNOWN_PLUGINS, TYPES_BY_SCHEME

REQUIREMENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "arrow_hdfs": ("pyarrow",),
        "asynclocal": ("morefs[asynclocalfs]",),
        "dask": ("dask", "distributed"),
        "dbfs": ("requests",),
        "dropbox": ("dropboxdrivefs", "dropbox", "requests"),
        "gist": ("requests",),
        "git": ("pygit2",),
        "github": ("requests",),
        "hdfs": ("pyarrow",),
        "http": ("aiohttp",),
        "https": ("aiohttp",),
        "jlab": ("requests",),
        "jupyter": ("requests",),
        "libarchive": ("libarchive-c",),
        "sftp": ("paramiko",),
        "smb": ("smbprotocol",),
        "ssh": ("paramiko",),
        "webdav": ("webdav4[fsspec]",),
        "webhdfs": ("requests",),
    }
)
"""Requirements of the protocols that fsspec implements, and of others whose module is not enough."""


def install_command(protocol: str) -> str | None:
    """Return the command that installs what a protocol needs; ``None`` if that is not known.

    A protocol that is implemented elsewhere needs the package of its module.

    >>> install_command("sftp"), install_command("lakefs")
    ('pip install paramiko', 'pip install lakefs-spec')
    """
    requirements = REQUIREMENTS.get(protocol)
    if requirements is None:
        module = known_implementations.get(protocol, {}).get("class", "fsspec").partition(".")[0]
        if module == "fsspec":
            return None
        requirements = (canonicalize_name(module),)
    return " ".join(["pip install", *(f"'{name}'" if "[" in name else name for name in requirements)])


def missing_package(url: str, address: str, error: ImportError) -> PluginLoadError:
    """Return the error for a URL whose protocol cannot be imported, with the command that installs it.

    Args:
        url: the URL.
        address: the URL without secrets.
        error: the error of fsspec.
    """
    cause = error.__cause__ if isinstance(error.__cause__, ImportError) else error
    module = (cause.name or "").partition(".")[0]
    package = f"the package {module}, which" if module else "a package that"
    parts = parts_of_chain(url)
    kind = TYPES_BY_SCHEME.get(url.partition("://")[0]) if len(parts) == 1 else None
    if kind:  # the plugin does more than the package of fsspec
        command: str | None = plugins.install_command(KNOWN_PLUGINS[kind])
    else:
        command = next(filter(None, map(_command_if_missing, parts)), None)
    return PluginLoadError(
        f"{address} needs {package} is not installed.",
        hint=f"Install it: {command}." if command else f"{error}.",
    )


def _command_if_missing(part: str) -> str | None:
    """Return the command for one part of a chain if that part cannot be imported."""
    protocol = part.partition("://")[0]
    try:
        get_filesystem_class(protocol)
    except ImportError:
        return install_command(protocol)
    except ValueError:  # an unknown protocol
        return None
    return None
