"""Remotes: named places to read from or to publish to, and the forms in which users name them.

Configuration classes are imported when one is created: listing a directory needs none.
"""

import os
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union
from urllib.parse import unquote, urlsplit

from wheelrelay.config.fsspec_urls import is_chain, may_contain_login, parts_of_chain
from wheelrelay.errors import ConfigError
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import CONFIRM_TIMEOUT, Confirm
from wheelrelay.protocols import Backend, Sink, Source, SupportsUploadForm
from wheelrelay.select import did_you_mean
from wheelrelay.version import DOCUMENTATION

if TYPE_CHECKING:
    from wheelrelay.checks import CheckPolicy
    from wheelrelay.config.base import RemoteConfig
    from wheelrelay.config.pypirc import Section

PRESETS = ("pypi", "testpypi")
"""Remotes that need no configuration; each has a type of the same name."""

_AUTHORITY = re.compile(r"(?<=://)[^/?#]*")
_USERINFO = re.compile(r"(?<=://).*@")  # greedy: a password may contain an unencoded slash
_HOST_AND_PORT = re.compile(r"(\[.*\]|[^:]*)(:\d*)?")
_LOGIN_WITHOUT_SCHEME = re.compile(r"[^./~\\:@][^/\\:@]*:.+@")


@dataclass(frozen=True)
class Remote:
    """A named place to read from or to publish to.

    Attributes:
        name: The configured name, or the address.
        config: How to connect; ``None`` for a backend that is already connected.
        connected: The connected backend, if ``config`` is ``None``.
    """

    name: str
    config: "RemoteConfig | None" = None
    connected: Backend | None = None

    def open(self) -> AbstractContextManager[Backend]:
        """Connect. A backend that was connected before stays open when the context ends."""
        if self.connected is not None:
            return nullcontext(self.connected)
        assert self.config is not None
        return self.config.named(self.name).open()

    @property
    def address(self) -> str:
        """The address to show to people."""
        return self.config.named(self.name).address() if self.config else self.name

    @property
    def is_shared(self) -> bool:
        """Whether another machine can connect to the same place; false if the backend is connected here."""
        return self.config is not None and self.config.is_shared

    @property
    def confirm(self) -> Confirm:
        """How uploads to this remote are confirmed."""
        from wheelrelay.config.base import SinkConfig

        return self.config.confirm if isinstance(self.config, SinkConfig) else Confirm.INDEX

    @property
    def confirm_timeout(self) -> float:
        """Seconds to wait until this remote shows what was published."""
        from wheelrelay.config.base import SinkConfig

        if isinstance(self.config, SinkConfig):
            return self.config.confirm_timeout.total_seconds()
        return CONFIRM_TIMEOUT

    @property
    def sign(self) -> bool:
        """Whether a signature is published with each file."""
        from wheelrelay.config.base import SinkConfig

        return self.config.sign if isinstance(self.config, SinkConfig) else False

    @property
    def attest(self) -> bool:
        """Whether an attestation is published with each file."""
        from wheelrelay.config.base import SinkConfig

        return self.config.attest if isinstance(self.config, SinkConfig) else False

    @property
    def checks(self) -> "CheckPolicy":
        """The checks that a release must pass before it is published to this remote."""
        return self.checks_for()

    def checks_for(self, *, mirror: bool = False) -> "CheckPolicy":
        """Return the checks that a release, or a mirrored file, must pass before it is published."""
        from wheelrelay.checks import CheckPolicy, Profile
        from wheelrelay.config.base import SinkConfig

        if isinstance(self.config, SinkConfig):
            return self.config.check_policy(mirror=mirror)
        is_index = not mirror and isinstance(self.connected, SupportsUploadForm)
        return CheckPolicy(Profile.INDEX if is_index else Profile.STORAGE)


RemoteLike = Union[str, Remote, "RemoteConfig", Source, Sink]
"""Whatever can be used as a remote: a name or an address, a configuration, a connected backend."""


def as_remote(remote: RemoteLike, *, configured: Mapping[str, Remote] | None = None) -> Remote:
    """Return the remote for a name, an address, a configuration or a connected backend.

    Args:
        remote: Any of these, or a `Remote`, which is returned as it is.
        configured: The configured remotes; their names take precedence over addresses.

    Raises:
        ConfigError: A name or address is unknown.
    """
    if isinstance(remote, Remote):
        return remote
    if isinstance(remote, str):
        return (configured or {}).get(remote) or from_address(remote, known=configured or {})
    from wheelrelay.config.base import RemoteConfig

    if isinstance(remote, RemoteConfig):
        return Remote(remote.type, remote)
    return Remote(type(remote).__name__, connected=remote)


def from_address(text: str, *, known: Mapping[str, object] | None = None) -> Remote:
    """Return the remote for an address in one of these forms.

    - ``./dist``, ``/srv/wheels``, ``~/wheelhouse``, ``file:///srv/wheels``: a directory
    - ``pypi``, ``testpypi``, or a section of ``~/.pypirc``
    - ``index+https://...``, ``listing+https://...``, or ``https://...``, whose kind is auto-detected
    - ``TYPE://...`` with the type of an installed backend, or any other scheme that fsspec supports
    - ``zip://wheels::https://...``, ``simplecache::...``: a chain of URLs, as fsspec writes them

    Args:
        text: The address.
        known: Configured names, to suggest in errors.

    Raises:
        ConfigError: The address has none of these forms.
        UnknownBackend: The backend for this form is not installed.
    """
    if text in PRESETS:
        return Remote(text, _make_config(text, {}, where=text))
    path = path_of(text)
    if path is not None:
        return Remote(text, _make_config("directory", {"path": path}, where=text))
    scheme, has_scheme, rest = text.partition("://")
    if not has_scheme:
        return _from_name(text, known or {})
    where = _USERINFO.sub("", text)
    if is_chain(text):
        return Remote(text, _make_config("fsspec", {"url": text}, where=where))
    kind, plus, web = scheme.partition("+")
    if plus:
        return Remote(text, _make_config(kind, {"url": f"{web}://{rest}"}, where=where))
    if scheme in ("http", "https"):
        return Remote(text, _make_config("web", {"url": text}, where=where))
    from wheelrelay.config.remote_types import config_by_scheme

    return Remote(text, config_by_scheme(scheme, text, where))


def path_of(text: str) -> Path | None:
    """Return the local directory that an address names; ``None`` for an address of another form.

    Raises:
        ConfigError: The address seems to contain a password.
    """
    if "://" in text:
        for url in parts_of_chain(text):
            _refuse_password(url)
        return Path(unquote(urlsplit(text).path)) if text.startswith("file://") else None
    has_drive = bool(Path(text).drive)
    if _LOGIN_WITHOUT_SCHEME.match(text) and not has_drive:
        host = text.rpartition("@")[2]
        raise ConfigError(
            f"{host}: a password does not belong in an address.",
            hint="Write https://, and remove the password. For a directory, start with './'.",
        )
    if text.startswith((".", "/", "~", "\\")) or "/" in text or has_drive:
        return Path(os.path.expanduser(text))
    return None


def from_section(section: "Section") -> Remote:
    """Return the remote for a section of ``~/.pypirc``.

    A section for PyPI or TestPyPI is also readable; for other indexes, the URL of the Simple API is unknown.

    Raises:
        ConfigError: The section has no repository, or its URL is malformed.
    """
    from wheelrelay.config.pypirc import kind_of

    where = f"~/.pypirc: [{section.name}]"
    if not section.repository:
        raise ConfigError(f"{where}: repository is missing.", hint="Add repository = https://...")
    kind = kind_of(section.repository)
    return Remote(section.name, _make_config(kind, {"upload_url": section.repository}, where=where))


def _from_name(text: str, known: Mapping[str, object]) -> Remote:
    from wheelrelay.config.pypirc import refuse_unlisted, sections

    by_name = sections()
    if text in by_name:
        return from_section(by_name[text])
    refuse_unlisted(text)
    suggestion = did_you_mean([text], [*known, *PRESETS, *by_name])
    raise ConfigError(
        f"There is no remote {text!r}.", hint=f"For a directory, write './{text}'. {suggestion}"
    )


def _refuse_password(address: str) -> None:
    if may_contain_login(address) and any(map(_has_password, _AUTHORITY.findall(address))):
        raise ConfigError(
            f"{_USERINFO.sub('', address)}: a password does not belong in an address.",
            hint=f"Remove it. {DOCUMENTATION}guides/credentials.html lists where credentials are looked up.",
        )


def _has_password(authority: str) -> bool:
    """Whether the part of a URL before its path contains a password, or can only be a part of one."""
    userinfo, _, host = authority.rpartition("@")
    return ":" in userinfo or not _HOST_AND_PORT.fullmatch(host)


def _make_config(kind: str, keys: Mapping[str, Any], *, where: str) -> "RemoteConfig":
    from wheelrelay.config.remote_types import make_config

    return make_config(kind, keys, where=where)
