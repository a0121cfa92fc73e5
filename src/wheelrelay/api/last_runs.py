"""Where the last run of a mirror is kept, for `wheelrelay.engine.unchanged`."""

import json
from functools import partial

from wheelrelay.config import Route, as_remote
from wheelrelay.disk.kept_files import KeptFiles
from wheelrelay.engine.last_run import LastRunStore
from wheelrelay.engine.listing import MANY_PROJECTS
from wheelrelay.model import Mode
from wheelrelay.plugins import BACKEND_GROUP, CHECK_GROUP, installed_plugins
from wheelrelay.select import Selection
from wheelrelay.version import __version__

FORMAT = 1
"""The format of the documents; another one has another key."""


def last_run_of(route: Route, selection: Selection, *, sign: bool) -> LastRunStore | None:
    """Return where the last run of a mirror is kept; ``None`` for a release, and for few projects.

    All that decides what a run does with a file is a part of the key, so that nothing is known after a
    change. The projects are not: a run keeps its results for each of them.

    Args:
        route: The route.
        selection: The files.
        sign: Whether all files are published with signatures.
    """
    remotes = [as_remote(remote) for remote in (route.source, *route.sinks)]
    is_known = all(remote.config is not None for remote in remotes)
    if route.mode is not Mode.MIRROR or not is_known or len(selection.requirements) < MANY_PROJECTS:
        return None
    files = KeptFiles.open("mirrors")
    if files is None:
        return None
    others = {"source", "sinks", "indexes", "projects", "requirements"}
    plugins = [*installed_plugins(BACKEND_GROUP).values(), *installed_plugins(CHECK_GROUP).values()]
    parts = [
        *(FORMAT, __version__, sorted({f"{plugin.package} {plugin.version}" for plugin in plugins})),
        *([remote.name, repr(remote.config)] for remote in remotes),
        *(
            route.model_dump_json(exclude=others),
            repr(selection.wheels),
            selection.sdist,
            selection.local,
            sign,
        ),
    ]
    key = json.dumps(parts)
    return LastRunStore(partial(files.get, key), partial(files.put, key))
