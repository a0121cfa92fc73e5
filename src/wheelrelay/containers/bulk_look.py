"""Look at many files of a container with one listing, where that takes fewer requests than a look at each."""

from collections.abc import Collection

from wheelrelay.containers.file_metadata import WriteCache, state_of
from wheelrelay.containers.listing import ListingReader
from wheelrelay.containers.objects import ReadableObjects, SupportsObjectPath
from wheelrelay.model import DistFile

OBJECTS_A_REQUEST = 1000
"""Objects in one page of a listing; some places return more."""


def look_at_many(
    objects: ReadableObjects, reader: ListingReader, written: WriteCache, files: Collection[DistFile]
) -> dict[str, DistFile]:
    """Return those of the files that a listing shows in the state in which they were written.

    The place returned an ETag for the bytes that it received. If the listing shows the same one, the object
    has these bytes.

    Args:
        objects: The objects of the container.
        reader: Lists them.
        written: What was written.
        files: The files to look for, with the companions to look for.
    """
    pages = 1 + reader.size // OBJECTS_A_REQUEST
    if isinstance(objects, SupportsObjectPath) or len(files) <= pages:
        return {}
    listing = reader.read_projects({file.project for file in files})
    shown = {}
    for file in files:
        distribution = listing.get(file.filename)
        metadata = distribution and written.files.get(state_of(distribution.stored))
        if distribution and metadata and set(file.companions) <= set(distribution.companions):
            shown[file.filename] = metadata.describe(distribution.file)
    return shown
