"""What `wheel-uploader` does: download the wheels that a page links to, and publish them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from wheelrelay import api
from wheelrelay.api import PublishOptions
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.local.paths import find_paths
from wheelrelay.compat.platforms import PlatformType
from wheelrelay.config import Remote, Route, as_remote
from wheelrelay.config.pypirc import refuse_unlisted, sections
from wheelrelay.config.remotes import PRESETS, from_section
from wheelrelay.errors import ConfigError, Conflict, NothingMatched
from wheelrelay.events import Progress
from wheelrelay.model import Confirm, DistFile
from wheelrelay.records import Receipt
from wheelrelay.select import did_you_mean
from wheelrelay.signing import Signer

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
