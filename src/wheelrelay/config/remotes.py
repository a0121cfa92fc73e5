"""A named place, and what may stand for one: a configured name, an address, a configuration, a backend."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from wheelrelay.checks.check import Profile
from wheelrelay.checks.config import ChecksConfig
from wheelrelay.config.bases import Confirm, RemoteConfig, SinkConfig
from wheelrelay.config.problems import explain
from wheelrelay.errors import ConfigError, PluginLoadError, WheelrelayError
from wheelrelay.plugins import BACKENDS, find, installed
from wheelrelay.protocols import Backend, Sink, Source
from wheelrelay.select import nearest

if TYPE_CHECKING:
    from wheelrelay.config.pypirc import Section

_AUTHORITY = re.compile(r"(?<=://)[^/?#]*")
_USERINFO = re.compile(r"(?<=://).*@")  # also where a password with a slash has not been encoded
_HOST_AND_PORT = re.compile(r"(\[.*\]|[^:]*)(:\d*)?")

PRESETS = ("pypi", "testpypi")
"""Remotes that are there without being configured; each is a type of its own."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A named place.

    Attributes:
        name: as configured, or the address.
        config: how to reach it; for a backend that was connected elsewhere, ``None``.
        connected: that backend.
    """

    name: str
    config: RemoteConfig | None = None
    connected: Backend | None = None

    def open(self) -> AbstractContextManager[Backend]:
        """Connect; a backend that was connected elsewhere stays open afterwards."""
        if self.connected is not None:
            return nullcontext(self.connected)
        assert self.config is not None
        return self.config.named(self.name).open()

    @property
    def confirm(self) -> Confirm:
        """How to prove what was published there."""
        return self.config.confirm if isinstance(self.config, SinkConfig) else Confirm.INDEX

    @property
    def sign(self) -> bool:
        """Whether a signature is published there with each file."""
        return self.config.sign if isinstance(self.config, SinkConfig) else False

    @property
    def checks(self) -> ChecksConfig:
        """What is asked of a release before it is published there."""
        if isinstance(self.config, SinkConfig):
            return self.config.checks_asked()
        return ChecksConfig().complete(Profile.INDEX)


RemoteLike = str | Remote | RemoteConfig | Source | Sink
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
    if isinstance(given, RemoteConfig):
        return Remote(given.type, given)
    if isinstance(given, str):
        return (configured or {}).get(given) or from_address(given, known=configured or {})
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
        return Remote(text, make_config(text, {}, where=text))
    scheme, has_scheme, rest = text.partition("://")
    if not has_scheme:
        return _from_path(text, known or {})
    where = _USERINFO.sub("", text)
    if any(map(_has_password, _AUTHORITY.findall(text))):
        raise ConfigError(
            f"{where}: a password does not belong in an address.",
            hint="Leave it out; where credentials are looked for is told in the README.",
        )
    if scheme == "file":
        return _directory(text, unquote(urlsplit(text).path))
    kind, plus, web = scheme.partition("+")
    if plus:
        return Remote(text, make_config(kind, {"url": f"{web}://{rest}"}, where=where))
    if scheme in ("http", "https"):
        return Remote(text, make_config("web", {"url": text}, where=where))
    return Remote(text, _by_scheme(scheme, text, where))


def make_config(kind: str, keys: Mapping[str, Any], *, where: str, base: Path | None = None) -> RemoteConfig:
    """The configuration of one remote, validated by the class that its type's backend brings.

    Args:
        kind: the remote's type.
        keys: its keys, without ``type``.
        where: what to call it in errors.
        base: the folder that relative paths count from; the working directory if not given.

    Raises:
        UnknownBackend: the type is not installed.
        PluginLoadError: it is installed and broken.
        ConfigError: a key is wrong.
    """
    try:
        return config_class(kind).model_validate({"type": kind, **keys}, context={"base": base or Path()})
    except ValidationError as error:
        raise explain(error, where, model=config_class(kind)) from error


def config_class(kind: str) -> type[RemoteConfig]:
    """The configuration class of a type, imported from the distribution that provides it.

    Raises:
        UnknownBackend: the type is not installed.
        PluginLoadError: it is installed and broken.
    """
    plugin = find(BACKENDS, kind)
    loaded = plugin.load()
    if not (isinstance(loaded, type) and issubclass(loaded, RemoteConfig)):
        raise PluginLoadError(f"{kind!r} from {plugin.package} does not name a class of RemoteConfig.")
    return loaded


def _from_path(text: str, known: Mapping[str, object]) -> Remote:
    if text.startswith((".", "/", "~", "\\")) or "/" in text or Path(text).drive:
        return _directory(text, text)
    from wheelrelay.config.pypirc import sections

    found = sections()
    if text in found:
        return from_section(found[text])
    names = [*known, *PRESETS, *found]
    hint = f"For a directory, write './{text}'. {nearest([text], names)}"
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
    return Remote(section.name, make_config(kind, {"upload_url": section.repository}, where=where))


def _has_password(authority: str) -> bool:
    """Whether the part of an address before its path has a password, or what can only be half of one."""
    userinfo, _, host = authority.rpartition("@")
    return ":" in userinfo or not _HOST_AND_PORT.fullmatch(host)


def _directory(name: str, path: str) -> Remote:
    return Remote(name, make_config("directory", {"path": path}, where=name))


def _by_scheme(scheme: str, text: str, where: str) -> RemoteConfig:
    from fsspec import available_protocols

    if scheme in installed(BACKENDS):
        try:
            return config_class(scheme).from_address(text)
        except ValidationError as error:
            raise explain(error, where, model=config_class(scheme)) from error
    try:
        find(BACKENDS, scheme)
    except WheelrelayError as unknown:
        from wheelrelay.plugins import PROVIDERS

        if scheme in PROVIDERS or scheme not in available_protocols():
            raise unknown.at(where) from None
    return make_config("fsspec", {"url": text}, where=where)
