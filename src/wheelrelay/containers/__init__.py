"""A container as a store and as a package index, over a handful of operations on objects.

A backend for object storage brings `Objects` (or `ReadableObjects`) and gives them to `ContainerStore` (or
`ContainerSource`); everything else is the same in every container.
"""

from typing import TYPE_CHECKING

from wheelrelay.exports import lazy_names

if TYPE_CHECKING:
    from wheelrelay.containers.io import blocks_of
    from wheelrelay.containers.objects import Objects, ReadableObjects, StoredObject
    from wheelrelay.containers.source import ContainerSource
    from wheelrelay.containers.store import ContainerStore

__all__ = [
    "ContainerSource",
    "ContainerStore",
    "Objects",
    "ReadableObjects",
    "StoredObject",
    "blocks_of",
]

__getattr__ = lazy_names(
    __name__,
    {
        "wheelrelay.containers.io": ("blocks_of",),
        "wheelrelay.containers.objects": (
            "Objects",
            "ReadableObjects",
            "StoredObject",
        ),
        "wheelrelay.containers.source": ("ContainerSource",),
        "wheelrelay.containers.store": ("ContainerStore",),
    },
)
