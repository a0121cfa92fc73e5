"""What `wheel-uploader` does: download the wheels that a page links to, and publish them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from wheelrelay import api
from wheelrelay.api import PublishOptions
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.local.paths import find_paths
from wheelrelay.config import Remote, Route, as_remote
from wheelrelay.config.pypirc import refuse_unlisted, sections
from wheelrelay.config.remotes import PRESETS, from_section
from wheelrelay.errors import ConfigError, Conflict, NothingMatched
from wheelrelay.events import Progress
from wheelrelay.lazy_dataclass import dataclass
from wheelrelay.model import Confirm, DistFile, Kind
from wheelrelay.records import Receipt
from wheelrelay.select import did_you_mean
from wheelrelay.signing import Signer
from wheelrelay.tags import TagPattern

FAMILIES = {
    "all": ("*",),
    "any": ("any",),
    "linux": ("linux_*", "manylinux*", "musllinux_*"),
    "ios": ("ios_*",),
    "android": ("android_*",),
    "macosx": ("macosx_*",),
    "manylinux": ("manylinux*",),
    "musllinux": ("musllinux_*",),
    "win": ("win32", "win_*"),
}
"""The general types, with patterns of platform tags."""

_SPECIFIC = re.compile(r"(?P<family>linux|ios|android|macosx|manylinux|musllinux|win)(32|1|20\d\d|_\w+)")

ALIASES = {
    "manylinux1": "manylinux_2_5",
    "manylinux2010": "manylinux_2_12",
    "manylinux2014": "manylinux_2_17",
}
"""Platforms with two names (PEP 600)."""


@dataclass(frozen=True, slots=True)
class PlatformType:
    """A platform type; pure wheels match every type.

    Attributes:
        name: the name on the command line.
        family: the general type that includes this one; the same as ``name`` for a general type.
    """

    name: str
    family: str

    @classmethod
    def parse(cls, name: str) -> "PlatformType":
        """Return a type by its name: one of `FAMILIES`, or specific, such as ``manylinux2014``.

        Raises:
            ConfigError: The type is unknown.
        """
        if name in FAMILIES:
            return cls(name, name)
        match = _SPECIFIC.fullmatch(name)
        if match is None:
            raise ConfigError(
                f"Unknown platform type {name!r}.",
                hint=f"Use {', '.join(FAMILIES)}, or a specific one such as manylinux2014 or win_amd64.",
            )
        return cls(name, match["family"])

    def patterns(self) -> tuple[str, ...]:
        """Return the tag patterns of this type, including free-threaded Pythons."""
        return _patterns(*self._platforms(), "any")

    def matches(self, file: DistFile) -> bool:
        """Whether a file is a wheel of this type."""
        return _matches(file, self.patterns())

    def split(self, files: Iterable[DistFile]) -> tuple[list[DistFile], list[DistFile]]:
        """Return the wheels of exactly this type, and the other wheels of its family."""
        family = [file for file in files if _matches(file, _patterns(*FAMILIES[self.family]))]
        exact = [file for file in family if _matches(file, _patterns(*self._platforms()))]
        return exact, [file for file in family if file not in exact]

    def _platforms(self) -> tuple[str, ...]:
        aliases = ALIASES | {new: old for old, new in ALIASES.items()}
        names = (self.name, *([aliases[self.name]] if self.name in aliases else []))
        return FAMILIES.get(self.name) or tuple(pattern for name in names for pattern in (name, f"{name}_*"))


def _patterns(*platforms: str) -> tuple[str, ...]:
    """Return tag patterns for any Python; ``*`` alone does not match free-threaded ABIs."""
    return tuple(f"*-{abi}-{platform}" for platform in platforms for abi in ("*", "*t"))


def _matches(file: DistFile, patterns: Iterable[str]) -> bool:
    parsed = (pattern for text in patterns for pattern in TagPattern.parse(text))
    return file.kind is Kind.WHEEL and any(pattern.matches(file.tags) for pattern in parsed)


MAX_PLATFORMS = 8
"""The number of platforms that an error lists."""


@dataclass(frozen=True, slots=True)
class UploadArguments:
    """The arguments of `wheel-uploader`.

    Attributes:
        requirement: project and version.
        page: the URL of the page of links.
        wheelhouse: the directory to download to; created if missing.
        platform: the platform of the wheels.
        clobber: whether to overwrite existing files that have other contents.
    """

    requirement: str
    page: str
    wheelhouse: Path
    platform: PlatformType
    clobber: bool


def fetch(arguments: UploadArguments, notify: Callable[[str], None], progress: Progress) -> Receipt:
    """Download the wheels into the wheelhouse; existing files with the same contents are skipped.

    Raises:
        NothingMatched: The page has no such wheel.
        Conflict: The wheelhouse has a file of the same name with other contents.
        WheelrelayError: The page cannot be read, or a wheel is damaged.
    """
    source = as_remote(f"listing+{_page_url(arguments.page)}")
    files = api.list_files(source, [arguments.requirement])
    _check_platform(arguments, files, notify)
    sink = str(arguments.wheelhouse)
    route = Route(source=source, sinks=[sink], wheels=arguments.platform.patterns(), sdist=False)
    requirement = _exact_requirement(arguments, files)
    options = PublishOptions(replace=arguments.clobber)
    try:
        return api.relay(route, [requirement], progress=progress, options=options)
    except Conflict as conflict:
        findings = [replace(finding, hint=None) for finding in conflict.findings]
        raise Conflict(
            f"{arguments.wheelhouse} has files of the same name with other contents; nothing was downloaded.",
            findings=findings,
            hint="Compare them, or overwrite them with `--clobber`.",
        ) from conflict


def publish(
    fetched: Receipt, wheelhouse: Path, sink: Remote, *, sign: bool, identity: str | None, progress: Progress
) -> Receipt:
    """Publish the downloaded wheels, and no other files of the wheelhouse.

    Raises:
        WheelrelayError: See `wheelrelay.api.relay`.
    """
    wheels = find_paths([wheelhouse / file.filename for file in fetched.files])
    route = Route(source=Remote(str(wheelhouse), connected=wheels), sinks=[sink])
    options = PublishOptions(sign=sign, signer=Signer(identity=identity))
    return api.relay(route, progress=progress, options=options)


def pypirc_remote(name: str, notify: Callable[[str], None]) -> Remote:
    """Return the index of a section of ``~/.pypirc``; PyPI and TestPyPI need no section.

    Uploads to an index without a known Simple API are not confirmed; ``notify`` reports it.

    Raises:
        ConfigError: The section does not exist or is invalid.
    """
    found = sections()
    if name not in found:
        if name in PRESETS:
            return as_remote(name)
        refuse_unlisted(name)
        raise ConfigError(
            f"~/.pypirc has no section [{name}].", hint=did_you_mean([name], [*found, *PRESETS])
        )
    remote = from_section(found[name])
    config = remote.config
    if not isinstance(config, IndexConfig) or config.url is not None:
        return remote
    notify(
        f"The Simple API of [{name}] is unknown, so uploads are neither compared with existing files nor "
        "confirmed."
    )
    return Remote(name, config.model_copy(update={"confirm": Confirm.NONE}))


def _check_platform(arguments: UploadArguments, files: list[DistFile], notify: Callable[[str], None]) -> None:
    """Ensure that there are wheels for the platform, and report which related ones are left out."""
    platform = arguments.platform
    exact, related = platform.split(files)
    if related and not exact:
        raise NothingMatched(
            f"{arguments.requirement} has no wheel for {platform.name}, but for {_platforms(related)}.",
            hint=f"Use `-t {platform.family}` to include them.",
        )
    if not any(platform.matches(file) for file in files):
        platforms = _platforms(files)
        raise NothingMatched(
            f"{arguments.requirement} has no wheel for {platform.name}.",
            hint=f"It has wheels for {platforms}." if platforms else "It has no wheels.",
        )
    if related:
        notify(
            f"Skipping wheels for {_platforms(related)}, which are not {platform.name}; use "
            f"`-t {platform.family}` to include them."
        )


def _platforms(files: list[DistFile]) -> str:
    platforms = sorted({tag.platform for file in files for tag in file.tags})
    more = f" and {len(platforms) - MAX_PLATFORMS} more" if len(platforms) > MAX_PLATFORMS else ""
    return ", ".join(platforms[:MAX_PLATFORMS]) + more


def _exact_requirement(arguments: UploadArguments, files: list[DistFile]) -> str:
    """Return a requirement for the public version only: in PEP 440, 1.0+local matches ==1.0 too."""
    public = {str(file.version) for file in files if file.version.local is None}
    has_local = any(file.version.local for file in files)
    if not has_local or len(public) != 1:
        return arguments.requirement
    return f"{arguments.requirement.partition('==')[0]}==={public.pop()}"


def _page_url(url: str) -> str:
    """Return the URL of the page, with a slash at the end if it is a directory.

    Raises:
        ConfigError: It is not a web address.
    """
    if not url.startswith(("http://", "https://")):
        raise ConfigError(
            f"-u {url}: not an http or https URL.",
            hint="To publish from a directory, use `wheelrelay relay --from ./DIRECTORY`.",
        )
    is_page = url.endswith(("/", ".html", ".htm")) or "?" in url or "#" in url
    return url if is_page else f"{url}/"
