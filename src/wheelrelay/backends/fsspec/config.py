"""Configuration of a container on any file system that fsspec supports.

Existing files are not overwritten, and files are never visible half-written, as far as the protocol allows
(see `wheelrelay.backends.fsspec.capabilities`):

- S3, Google Cloud Storage and Azure reject existing names themselves, and show an object when it is complete.
- The memory file system is protected by a lock.
- Elsewhere a file is written under a hidden temporary name and renamed. SFTP rejects renaming to an existing
  name. Others (FTP, SMB, WebHDFS) need two steps, the check and the renaming, and another writer can create
  the file in between. A warning reports that.

A local path is equivalent to type ``directory``. Read-only file systems (``http://``, ``zip://``) open as a
source.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, TypeAdapter, ValidationInfo, field_validator

from wheelrelay.config.base import ContainerConfig, NetworkConfig
from wheelrelay.config.fsspec_urls import may_contain_login, parts_of_chain
from wheelrelay.config.secrets import HOW_TO_REFER, SecretReference, SecretValue

if TYPE_CHECKING:
    from wheelrelay.containers.source import ContainerSource

_SECRET = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|(^|_|-|api)key$|connection_string|auth|headers?$|cookie",
    re.IGNORECASE,
)
"""Names of options that hold secrets, at any depth; everything below them is a secret too."""

_NOT_SECRET = {"anon", "browser", "cache", "cloud", "google_default"}
"""Values of a token that are not secret: for gcsfs, these are ways to find one."""

_LOCAL_SCHEMES = {"", "asynclocal", "file", "git", "local", "memory"}
"""Schemes of file systems on this machine or in this process."""

_REFERENCE_KEYS = ({"env"}, {"file"}, {"keyring", "username"}, {"command"})
_reference: TypeAdapter[Any] = TypeAdapter(SecretReference)


class FsspecConfig(ContainerConfig, NetworkConfig):
    """Distribution files on any file system that fsspec supports."""

    type: Literal["fsspec"] = "fsspec"
    url: str = Field(description="fsspec URL of a folder, such as sftp://host/wheels.")
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="Options of the fsspec implementation. Secrets are references, such as { env = 'NAME' }; "
        "{ tuple = [...] } is a tuple, which some libraries require instead of a list.",
    )

    pages: bool = Field(
        default=False, description="Write Simple API pages next to the files, for installers."
    )

    @field_validator("url")
    @classmethod
    def _reject_password(cls, url: str) -> str:
        if any(urlsplit(part).password for part in parts_of_chain(url) if may_contain_login(part)):
            raise ValueError("a URL must not contain a password: put a reference to it into options")
        return url

    @field_validator("options")
    @classmethod
    def _parse_references(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return {key: _parse_option(key, value, info.context) for key, value in options.items()}

    @property
    def is_shared(self) -> bool:
        """Whether the files are on a network: the last part of a chain such as ``simplecache::s3://bucket``."""
        return urlsplit(parts_of_chain(self.url)[-1]).scheme not in _LOCAL_SCHEMES

    def address(self) -> str:
        """Return the web URL of the files if they have one, else the fsspec URL."""
        return self.public_url or self.url

    @contextmanager
    def open(self) -> Iterator["ContainerSource"]:
        """Connect: as a store, or as a source if the file system is read-only."""
        from wheelrelay.backends.fsspec.connection import connect

        with closing(
            connect(self.url, resolve_options(self.options), self.timeout, **self.container_options())
        ) as container:
            yield container


def _parse_option(key: str, value: Any, context: Any, *, secret: bool = False) -> Any:
    """Return one option with its references parsed; a plain-text secret is rejected at any depth.

    Args:
        key: the name of the option.
        value: the configured value.
        context: the context of the validation.
        secret: whether it is part of a secret, as a header is of ``headers``.
    """
    secret = secret or bool(_SECRET.search(key))
    if isinstance(value, list):
        return [_parse_option(key, item, context, secret=secret) for item in value]
    if isinstance(value, dict) and set(value) == {"tuple"} and isinstance(value["tuple"], list):
        return {"tuple": [_parse_option(key, item, context, secret=secret) for item in value["tuple"]]}
    if isinstance(value, dict) and not _looks_like_reference(value):
        return {inner: _parse_option(inner, part, context, secret=secret) for inner, part in value.items()}
    if isinstance(value, dict):
        return _reference.validate_python(value, context=context)
    if isinstance(value, str) and secret and value not in _NOT_SECRET:
        raise ValueError(f"the option {key!r} is a plain-text secret. {HOW_TO_REFER}")
    return value


def _looks_like_reference(value: Mapping[str, Any]) -> bool:
    """Return whether this is a reference, and not the options of a protocol such as ``file``."""
    return set(value) in _REFERENCE_KEYS and not any(isinstance(part, dict) for part in value.values())


def resolve_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with all references resolved, and with tuples in place of ``{ tuple = [...] }``.

    Raises:
        MissingSecret: a secret does not exist.
    """
    return {key: _resolve(value) for key, value in options.items()}


def _resolve(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"tuple"} and isinstance(value["tuple"], list):
            return tuple(map(_resolve, value["tuple"]))
        return resolve_options(value)
    if isinstance(value, list):
        return [_resolve(item) for item in value]
    return SecretValue(value).get() if isinstance(value, BaseModel) else value  # type: ignore[arg-type]
