"""Determine which files a call selects, from its route, requirements, selection and shard."""

from dataclasses import replace

from wheelrelay.api.reading import Requirements
from wheelrelay.config import Route
from wheelrelay.errors import ConfigError
from wheelrelay.model import Mode, Shard
from wheelrelay.select import Selection, parse_requirement

ShardLike = Shard | tuple[int, int]
"""A shard, or its number (from 1) and how many there are."""


def selection_of(
    route: Route | None,
    requirements: Requirements,
    selection: Selection | None = None,
    shard: ShardLike | None = None,
) -> Selection:
    """Return the selection of a call.

    Args:
        route: The route, if there is one.
        requirements: Requirements that replace the ``projects`` of the route.
        selection: The selection to use instead of both.
        shard: The part of the projects to take.

    Raises:
        ConfigError: A requirement or the shard is invalid, or two arguments exclude each other.
    """
    if selection is not None and requirements:
        raise ConfigError("`requirements` and `selection` cannot be used together.")
    if selection is None:
        texts = [str(text) for text in requirements]
        selection = route.selection(texts) if route else Selection(tuple(map(parse_requirement, texts)))
    return selection if shard is None else replace(selection, shard=_checked(shard))


def refuse_divided_release(route: Route, selection: Selection) -> None:
    """Refuse a shard of a release.

    Raises:
        ConfigError: The mode of the route is ``release``, and the selection is one shard.
    """
    if route.mode is Mode.RELEASE and selection.shard is not None:
        raise ConfigError(
            "A release is published completely or not at all, so it cannot be divided into shards.",
            hint='Use `mode="mirror"` to copy files independently of each other.',
        )


def _checked(shard: ShardLike) -> Shard:
    try:
        return Shard(*shard) if isinstance(shard, tuple) else shard
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{shard} is not a shard.", hint="Pass its number, from 1, and how many there are."
        ) from error
