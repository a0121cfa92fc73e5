"""The least that checking a wheel can be: ``python hash_once.py WHEEL``.

sha256 over the file, and over each of its members once they are inflated; nothing is compared with anything.
"""

import hashlib
import sys
import zipfile
from pathlib import Path

BLOCK = 1 << 20


def main(wheel: str) -> None:
    """Hash a wheel and its members."""
    with Path(wheel).open("rb") as file:
        hashlib.file_digest(file, "sha256")
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                with archive.open(member) as stream:
                    sha256 = hashlib.sha256()
                    while block := stream.read(BLOCK):
                        sha256.update(block)


if __name__ == "__main__":
    main(sys.argv[1])
