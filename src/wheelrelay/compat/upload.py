"""What `wheel-uploader` does: fetch the wheels that a page lists, and publish just these."""

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

MOST = 8
"""How many platforms an error names."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options ask for.

    Attributes:
        requirement: project and version.
        page: the address of the page of links.
        wheelhouse: where the wheels are kept; made if it is not there.
        platform: of which wheels.
        clobber: overwrite what the wheelhouse has with other bytes.
    """

    requirement: str
    page: str
    wheelhouse: Path
    platform: PlatformType
    clobber: bool


def fetch(asked: Asked, say: Callable[[str], None], progress: Progress) -> Receipt:
    """Bring the wheels into the wheelhouse; what is there already counts only if the bytes are the same.

    Raises:
        NothingMatched: the page has no such wheel; says what it has.
        Conflict: the wheelhouse has other bytes under one of the names.
        WheelrelayError: the page or a wheel is not as it should be.
    """
    source = as_remote(f"listing+{_page(asked.page)}")
    files = api.list_files(source, [asked.requirement])
    _look(asked, files, say)
    to = str(asked.wheelhouse)
    route = Route(source=source, sinks=[to], wheels=asked.platform.patterns(), sdist=False)
    try:
        return api.relay(
            route, [_exactly(asked, files)], progress=progress, options=PublishOptions(replace=asked.clobber)
        )
    except Conflict as conflict:
        findings = [replace(finding, hint=None) for finding in conflict.findings]
        raise Conflict(
            f"{asked.wheelhouse} has other bytes under these names; nothing was fetched.",
            findings=findings,
            hint="Overwrite them with --clobber, or look at them first.",
        ) from conflict


def publish(
    fetched: Receipt, wheelhouse: Path, sink: Remote, *, sign: bool, identity: str | None, progress: Progress
) -> Receipt:
    """Publish what was fetched, and nothing else that the wheelhouse may have.

    Raises:
        WheelrelayError: see `wheelrelay.api.relay`.
    """
    wheels = find_paths([wheelhouse / file.filename for file in fetched.files])
    route = Route(source=Remote(str(wheelhouse), connected=wheels), sinks=[sink])
    options = PublishOptions(sign=sign, signer=Signer(identity=identity))
    return api.relay(route, progress=progress, options=options)


def section(name: str, say: Callable[[str], None]) -> Remote:
    """The index that a section of ``~/.pypirc`` stands for; without a file, PyPI and TestPyPI are known.

    One whose Simple API is not known is taken at its word, which is said.

    Raises:
        ConfigError: there is no such section, or it is not as it should be.
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
    say(
        f"[{name}] names no Simple API, so nothing can be compared or confirmed there: "
        "the index's own answer settles what it has already."
    )
    return Remote(name, config.model_copy(update={"confirm": Confirm.NONE}))


def _look(asked: Asked, files: list[DistFile], say: Callable[[str], None]) -> None:
    """Make sure that there are such wheels, and say which of their kin are left out."""
    platform = asked.platform
    own, kin = platform.split(files)
    if kin and not own:
        raise NothingMatched(
            f"{asked.requirement} has no {platform.name} wheel there, but {_tags(kin)}.",
            hint=f"Take them with -t {platform.family}.",
        )
    if not any(platform.means(file) for file in files):
        raise NothingMatched(
            f"{asked.requirement} has no wheel for {platform.name} there.",
            hint=f"It has {_tags(files)}." if _tags(files) else "It has no wheel at all.",
        )
    if kin:
        say(f"Left out, for they are not {platform.name}: {_tags(kin)}. Take them with -t {platform.family}.")


def _tags(files: list[DistFile]) -> str:
    tags = sorted({tag.platform for file in files for tag in file.tags})
    return ", ".join(tags[:MOST]) + (f" and {len(tags) - MOST} more" if len(tags) > MOST else "")


def _exactly(asked: Asked, files: list[DistFile]) -> str:
    """The requirement for this very version: to PEP 440, 1.0+local is 1.0 too."""
    public = {str(file.version) for file in files if file.version.local is None}
    project, _, _ = asked.requirement.partition("==")
    beside = any(file.version.local for file in files) and len(public) == 1
    return f"{project}==={public.pop()}" if beside else asked.requirement


def _page(address: str) -> str:
    """The page's address, with a slash at the end if it is a folder's.

    Raises:
        ConfigError: it is no web address.
    """
    if not address.startswith(("http://", "https://")):
        raise ConfigError(
            f"-u {address}: this is no web address.",
            hint="Write https://...; from a directory, wheelrelay relay takes them, with --from ./DIRECTORY.",
        )
    whole = address.endswith(("/", ".html", ".htm")) or "?" in address or "#" in address
    return address if whole else f"{address}/"
