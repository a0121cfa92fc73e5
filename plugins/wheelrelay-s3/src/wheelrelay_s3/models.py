"""Load the descriptions of APIs that botocore has, without a look at those of all 400 services."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.loaders import Loader


class ModelLoader(Loader):  # type: ignore[misc]
    """Finds a service by the name of its folder."""

    def list_available_services(self, type_name: str) -> list[str]:
        """Return the names of all folders; botocore looks into each of them for a file of this type."""
        del type_name
        names: set[str] = set()
        for path in self.search_paths:
            with suppress(FileNotFoundError, NotADirectoryError):
                names.update(folder.name for folder in Path(path).iterdir())
        return sorted(names)


def load_models_by_name(session: Any) -> None:
    """Let a session of botocore find the descriptions of services by `ModelLoader`."""
    configured: str | None = session.get_config_variable("data_path")
    paths = [str(Path(path).expanduser()) for path in (configured or "").split(os.pathsep) if path]
    session.register_component("data_loader", ModelLoader(extra_search_paths=paths))
