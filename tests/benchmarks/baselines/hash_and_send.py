"""Hash and upload the files of a folder with sha256sum and curl: ``python hash_and_send.py INDEX FOLDER``.

Eight files at once, as a shell script with ``xargs -P 8`` does.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PARALLEL = 8


def publish(index: str, path: Path) -> None:
    """Hash and upload one file."""
    output = subprocess.run(["sha256sum", str(path)], check=True, capture_output=True, text=True).stdout
    digest = output.partition(" ")[0]
    fields = [":action=file_upload", "protocol_version=1", f"sha256_digest={digest}", f"content=@{path}"]
    forms = [word for field in fields for word in ("--form", field)]
    subprocess.run(["curl", "--silent", "--show-error", "--fail", *forms, index], check=True)


if __name__ == "__main__":
    index, folder = sys.argv[1:]
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(lambda path: publish(index, path), sorted(Path(folder).iterdir())))
