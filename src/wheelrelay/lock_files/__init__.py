"""Read lock files: exactly which files an environment is made of, and their digests.

Three formats are read:

- ``pylock.toml`` (PEP 751), which names the files of each package;
- ``requirements.txt`` with hashes, such as ``uv pip compile --generate-hashes`` writes, which names versions
  and the digests that their files may have;
- ``uv.lock``, which uv itself exports to ``pylock.toml``.

A requirements file without any hash is no lock: `read_requirements` returns its requirements.

Environment markers are ignored: a mirror serves every platform that the lock was made for.

>>> lock = tmp_path / "requirements.txt"
>>> _ = lock.write_text("sample==1.0 --hash=sha256:" + 64 * "a")
>>> [str(release) for release in read_lock(lock).releases]
['sample==1.0']
"""

from wheelrelay.lock_files.model import Lock, LockedRelease
from wheelrelay.lock_files.reading import read_lock
from wheelrelay.lock_files.requirements import read_requirements

__all__ = ["Lock", "LockedRelease", "read_lock", "read_requirements"]
