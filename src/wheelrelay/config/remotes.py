"""A named place, and what may stand for one: a configured name, an address, a configuration, a backend.

The classes of configurations are imported when one is made or looked at: to list a directory takes none.
"""

import os
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union
from urllib.parse import unquote, urlsplit

from wheelrelay.errors import ConfigError
from wheelrelay.protocols import Backend, Sink, Source, SupportsUploadForm
from wheelrelay.select import did_you_mean

if TYPE_CHECKING:
    from wheelrelay.checks import CheckPolicy
    from wheelrelay.config.base import RemoteConfig
    from wheelrelay.config.pypirc import Section
    from wheelrelay.model import Confirm

_AUTHORITY = re.compile(r"(?<=://)[^/?#]*")
_USERINFO = re.compile(r"(?<=://).*@")  # also where a password with a slash has not been encoded
_HOST_AND_PORT = re.compile(r"(\[.*\]|[^:]*)(:\d*)?")

_LOGIN_WITHOUT_SCHEME = re.compile(r"[^./~\\:@][^/\\:@]*:.+@")

PRESETS = ("pypi", "testpypi")
"""Remotes that are there without being configured; each is a type of its own."""


@dataclass(frozen=True)
class Remote:
    """A named place.

    Attributes:
        name: as configured, or the address.
        config: how to reach it; for a backend that was connected elsewhere, ``None``.
        connected: that backend.
    """

    name: str
    config: "RemoteConfig | None" = None
    connected: Backend | None = None

    def open(self) -> AbstractContextManager[Backend]:
        """Connect; a backend that was connected elsewhere stays open afterwards."""
        if self.connected is not None:
            return nullcontext(self.connected)
        assert self.config is not None
        return self.config.named(self.name).open()

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return self.config.named(self.name).address() if self.config else self.name

    @property
    def confirm(self) -> "Confirm":
        """How to prove what was published there."""
        from wheelrelay.config.base import SinkConfig
        from wheelrelay.model import Confirm

        return self.config.confirm if isinstance(self.config, SinkConfig) else Confirm.INDEX

    @property
    def confirm_timeout(self) -> float:
        """Seconds to wait until it shows what was published there."""
        from wheelrelay.config.base import SinkConfig
        from wheelrelay.model import CONFIRM_TIMEOUT

        if isinstance(self.config, SinkConfig):
            return self.config.confirm_timeout.total_seconds()
        return CONFIRM_TIMEOUT

    @property
    def sign(self) -> bool:
        """Whether a signature is published there with each file."""
        from wheelrelay.config.base import SinkConfig

        return self.config.sign if isinstance(self.config, SinkConfig) else False

    @property
    def attest(self) -> bool:
        """Whether an attestation is published there with each file."""
        from wheelrelay.config.base import SinkConfig

        return self.config.attest if isinstance(self.config, SinkConfig) else False

    @property
    def checks(self) -> "CheckPolicy":
        """The checks that a release must pass before it is published there."""
        return self.checks_for()

    def checks_for(self, *, mirror: bool = False) -> "CheckPolicy":
        """Return the checks that a release, or a mirrored file, must pass before it is published there."""
        from wheelrelay.checks import CheckPolicy, Profile
        from wheelrelay.config.base import SinkConfig

        if isinstance(self.config, SinkConfig):
            return self.config.check_policy(mirror=mirror)
        is_index = not mirror and isinstance(self.connected, SupportsUploadForm)
        return CheckPolicy(Profile.INDEX if is_index else Profile.STORAGE)


RemoteLike = Union[str, Remote, "RemoteConfig", Source, Sink]
"""What may be given where a remote is wanted: an address or a preset's name, a configuration, a backend."""


def as_remote(given: RemoteLike, *, configured: Mapping[str, Remote] | None = None) -> Remote:
    """The remote that something stands for.

    Args:
        given: a name or address, a configuration, a connected backend, or a remote already.
        configured: the remotes that names are looked up in.

    Raises:
        ConfigError: it stands for none.
    """
    if isinstance(given, Remote):
        return given
    if isinstance(given, str):
        return (configured or {}).get(given) or from_address(given, known=configured or {})
    from wheelrelay.config.base import RemoteConfig

    if isinstance(given, RemoteConfig):
        return Remote(given.type, given)
    return Remote(type(given).__name__, connected=given)


def from_address(text: str, *, known: Mapping[str, object] | None = None) -> Remote:
    """Read an address, in one of these forms.

    ``./dist``, ``/srv/wheels``, ``~/wheelhouse``, ``file:///srv/wheels`` (a directory);
    ``pypi``, ``testpypi``; the name of a section of ``~/.pypirc``;
    ``index+https://...``, ``listing+https://...``; ``https://...`` (found out by asking);
    ``TYPE://...`` of an installed backend; any other address that fsspec knows.

    Raises:
        ConfigError: it has none of these forms.
        UnknownBackend: a backend that is not installed provides this form.
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
    kind, plus, web = scheme.partition("+")
    if plus:
        return Remote(text, _make_config(kind, {"url": f"{web}://{rest}"}, where=where))
    if scheme in ("http", "https"):
        return Remote(text, _make_config("web", {"url": text}, where=where))
    from wheelrelay.config.remote_types import config_by_scheme

    return Remote(text, config_by_scheme(scheme, text, where))


def path_of(text: str) -> Path | None:
    """Return the local directory that an address names, or ``None`` for an address of another form.

    Raises:
        ConfigError: The address seems to contain a password.
    """
    if "://" in text:
        _refuse_password(text)
        return Path(unquote(urlsplit(text).path)) if text.startswith("file://") else None
    has_drive = bool(Path(text).drive)
    if _LOGIN_WITHOUT_SCHEME.match(text) and not has_drive:
        host = text.rpartition("@")[2]
        raise ConfigError(
            f"{host}: a password does not belong in an address.",
            hint="Write https:// and no password. For a directory, start with './'.",
        )
    if text.startswith((".", "/", "~", "\\")) or "/" in text or has_drive:
        return Path(os.path.expanduser(text))
    return None


def _from_name(text: str, known: Mapping[str, object]) -> Remote:
    from wheelrelay.config.pypirc import refuse_unlisted, sections

    found = sections()
    if text in found:
        return from_section(found[text])
    refuse_unlisted(text)
    names = [*known, *PRESETS, *found]
    hint = f"For a directory, write './{text}'. {did_you_mean([text], names)}"
    raise ConfigError(f"There is no remote {text!r}.", hint=hint)


def from_section(section: "Section") -> Remote:
    """The remote that a section of ``~/.pypirc`` stands for.

    That of PyPI or TestPyPI is read where theirs are. Of others no Simple API is known.

    Raises:
        ConfigError: it gives no address, or a wrong one.
    """
    from wheelrelay.config.pypirc import kind_of

    where = f"~/.pypirc: [{section.name}]"
    if not section.repository:
        raise ConfigError(f"{where}: the repository is missing.", hint="As in repository = https://...")
    kind = kind_of(section.repository)
    return Remote(section.name, _make_config(kind, {"upload_url": section.repository}, where=where))


def _refuse_password(address: str) -> None:
    if any(map(_has_password, _AUTHORITY.findall(address))):
        raise ConfigError(
            f"{_USERINFO.sub('', address)}: a password does not belong in an address.",
            hint="Remove it. The README lists where credentials are looked up.",
        )


def _has_password(authority: str) -> bool:
    """Whether the part of an address before its path has a password, or what can only be half of one."""
    userinfo, _, host = authority.rpartition("@")
    return ":" in userinfo or not _HOST_AND_PORT.fullmatch(host)


def _make_config(kind: str, keys: Mapping[str, Any], *, where: str) -> "RemoteConfig":
    from wheelrelay.config.remote_types import make_config

    return make_config(kind, keys, where=where)
