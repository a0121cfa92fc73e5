"""Turn a place that stores objects into a store for distribution files and a package index.

A backend for object storage implements `Objects` (or `ReadableObjects`) and passes it to `ContainerStore` (or
`ContainerSource`). Names, companions, digests, conflicts and index pages are handled there, in the same way
for every container.
"""

from typing import TYPE_CHECKING

from wheelrelay.exports import lazy_names

if TYPE_CHECKING:
    from wheelrelay.containers.folder_pages import FolderPages
    from wheelrelay.containers.objects import (
        Objects,
        ReadableObjects,
        StoredObject,
        SupportsCopy,
        SupportsFolderPages,
        SupportsGroupedWrites,
        SupportsObjectPath,
        SupportsParts,
        SupportsSearch,
        iter_blocks,
    )
    from wheelrelay.containers.parts import send_part
    from wheelrelay.containers.source import ContainerSource
    from wheelrelay.containers.store import ContainerStore
    from wheelrelay.filenames import looks_like_distribution
    from wheelrelay.staged import BLOCK_SIZE

__all__ = [
    "BLOCK_SIZE",
    "ContainerSource",
    "ContainerStore",
    "FolderPages",
    "Objects",
    "ReadableObjects",
    "StoredObject",
    "SupportsCopy",
    "SupportsFolderPages",
    "SupportsGroupedWrites",
    "SupportsObjectPath",
    "SupportsParts",
    "SupportsSearch",
    "iter_blocks",
    "looks_like_distribution",
    "send_part",
]

__getattr__ = lazy_names(
    __name__,
    {
        "wheelrelay.containers.objects": (
            "Objects",
            "ReadableObjects",
            "StoredObject",
            "SupportsCopy",
            "SupportsFolderPages",
            "SupportsGroupedWrites",
            "SupportsObjectPath",
            "SupportsParts",
            "SupportsSearch",
            "iter_blocks",
        ),
        "wheelrelay.containers.folder_pages": ("FolderPages",),
        "wheelrelay.containers.parts": ("send_part",),
        "wheelrelay.containers.source": ("ContainerSource",),
        "wheelrelay.containers.store": ("ContainerStore",),
        "wheelrelay.filenames": ("looks_like_distribution",),
        "wheelrelay.staged": ("BLOCK_SIZE",),
    },
)
