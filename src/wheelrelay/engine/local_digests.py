"""Hash the local files whose names a sink has: a plan leaves nothing open that a look can tell."""

from collections.abc import Collection, Sequence

from wheelrelay.model import DistFile
from wheelrelay.protocols import Source, SupportsLocalPath
from wheelrelay.transfer.download import hashed_in_place
from wheelrelay.transfer.thread_pool import Workers

AT_ONCE = 32
"""Files that a thread takes at a time: most are small, and handing work to a thread takes time too."""


def with_digests(
    source: Source, files: Sequence[DistFile], there: Collection[str], workers: Workers
) -> list[DistFile]:
    """The files, those that lie on local disk hashed in place if their name is there and no digest is known.

    Args:
        source: where the files are.
        files: as the source describes them.
        there: the filenames that some sink has.
        workers: several files are hashed at once.

    Raises:
        ChangedWhileReading: a file changed while it was hashed.
        IntegrityError: a file is not what its name says.
        BackendError: a file cannot be read.
    """
    if not isinstance(source, SupportsLocalPath):
        return list(files)
    needed = [file for file in files if file.sha256 is None and file.filename in there]
    batches = [needed[start : start + AT_ONCE] for start in range(0, len(needed), AT_ONCE)]
    hashed = workers.each(
        batches, lambda batch: [hashed_in_place(source.local_path(file), file) for file in batch]
    )
    known = {file.filename: file for done in hashed for file in done.unwrap()}
    return [known.get(file.filename, file) for file in files]
