"""Any place that fsspec reaches as a container: what the protocol allows decides how safe writing is.

Nothing that is there is overwritten, and nothing is seen half-written, as far as the protocol allows;
`wheelrelay.backends.fsspec.capabilities` lists what that is:

- S3, Google Cloud Storage and Azure refuse a taken name themselves, and show an object when it is complete.
- The memory file system is guarded by a lock.
- Elsewhere a file is written under a hidden temporary name and renamed. SFTP refuses to rename to a taken
  name; with others (FTP, SMB, WebHDFS ...) the question and the renaming are two steps, and a second writer
  can come between them. A warning says so.

A local path is the same as type ``directory``. What cannot be written (``http://``, ``zip://``, a cache)
opens as a source.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, TypeAdapter, ValidationInfo, field_validator

from wheelrelay.config.base import ContainerConfig
from wheelrelay.config.secrets import HOW_TO_REFER, SecretReference, SecretValue

if TYPE_CHECKING:
    from wheelrelay.containers.source import ContainerSource

_SECRET = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|(^|_|-|api)key$|connection_string|auth|headers?$|cookie",
    re.IGNORECASE,
)
"""Names of options that hold secrets, also within other options; all that is below them counts as secret."""

_NO_SECRETS = {"anon", "browser", "cache", "cloud", "google_default"}
"""What a token may be that is no secret: gcsfs takes these words for ways to find one."""

_REFERENCES = ({"env"}, {"file"}, {"keyring", "username"}, {"command"})
_reference: TypeAdapter[Any] = TypeAdapter(SecretReference)


class FsspecConfig(ContainerConfig):
    """Distribution files wherever fsspec reaches."""

    type: Literal["fsspec"] = "fsspec"
    url: str = Field(description="Any fsspec URL of a folder, as sftp://host/wheels.")
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="Passed to the fsspec implementation; a secret is referred to, as { env = 'NAME' }.",
    )

    pages: bool = Field(
        default=False, description="Keep Simple API pages beside the files, so that installers can use them."
    )

    @field_validator("url")
    @classmethod
    def _without_password(cls, url: str) -> str:
        if any(urlsplit(part).password for part in url.split("::")):
            raise ValueError("a password does not belong in an address: refer to it under options")
        return url

    @field_validator("options")
    @classmethod
    def _with_references(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return {key: _checked(key, value, info.context) for key, value in options.items()}

    def address(self) -> str:
        """The web address of the files if they have one, else fsspec's."""
        return self.public_url or self.url

    @contextmanager
    def open(self) -> Iterator["ContainerSource"]:
        """The place as a store, or as a source if it cannot be written."""
        from wheelrelay.backends.fsspec.connection import connect

        keys = {"pages": self.pages, "public_url": self.public_url, "cdn_lag": self.cdn_lag}
        with closing(connect(self.url, _resolved(self.options), **keys)) as place:
            yield place


def _checked(key: str, value: Any, context: Any, *, secret: bool = False) -> Any:
    """One option with the references in it parsed; a secret in plain text is refused, as deep as it lies.

    Args:
        key: its name.
        value: what is given.
        context: of the validation.
        secret: whether it is part of what is secret, as a header is of ``headers``.
    """
    secret = secret or bool(_SECRET.search(key))
    if isinstance(value, list):
        return [_checked(key, each, context, secret=secret) for each in value]
    if isinstance(value, dict) and not _looks_like_reference(value):
        return {inner: _checked(inner, part, context, secret=secret) for inner, part in value.items()}
    if isinstance(value, dict):
        return _reference.validate_python(value, context=context)
    if isinstance(value, str) and secret and value not in _NO_SECRETS:
        raise ValueError(f"the option {key!r} is a secret in plain text. {HOW_TO_REFER}")
    return value


def _looks_like_reference(value: Mapping[str, Any]) -> bool:
    """Whether this is a reference to a secret and no table of options for a protocol, such as ``file``."""
    return set(value) in _REFERENCES and not any(isinstance(part, dict) for part in value.values())


def _resolved(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _value_of(value) for key, value in options.items()}


def _value_of(value: Any) -> Any:
    if isinstance(value, dict):
        return _resolved(value)
    if isinstance(value, list):
        return [_value_of(each) for each in value]
    return SecretValue(value).get() if isinstance(value, BaseModel) else value  # type: ignore[arg-type]
