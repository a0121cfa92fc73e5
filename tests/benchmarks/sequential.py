"""What people do by hand: fetch each file, one after the other, and upload them all with twine.

``python -m tests.benchmarks.sequential LISTING FOLDER UPLOAD_URL``; the credentials are in the
environment, as twine wants them.
"""

import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urljoin


def main(listing: str, folder: Path, upload_url: str) -> None:
    """Fetch what ``listing`` links to into ``folder``, and upload it."""
    with urllib.request.urlopen(listing) as page:
        names = re.findall(r'href="([^"]+)"', page.read().decode())
    for name in names:
        with urllib.request.urlopen(urljoin(listing, name)) as answer, (folder / name).open("wb") as file:
            shutil.copyfileobj(answer, file)
    twine = [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"]
    subprocess.run([*twine, "--repository-url", upload_url, *[folder / name for name in names]], check=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
