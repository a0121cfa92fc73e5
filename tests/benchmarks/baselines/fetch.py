"""Fetch each file, one after the other: ``python fetch.py ADDRESS...``."""

import shutil
import sys
import urllib.request
from pathlib import Path


def main(addresses: list[str]) -> None:
    """Fetch files into the working folder."""
    for address in addresses:
        name = address.rpartition("/")[2]
        with urllib.request.urlopen(address) as answer, Path(name).open("wb") as file:
            shutil.copyfileobj(answer, file)


if __name__ == "__main__":
    main(sys.argv[1:])
