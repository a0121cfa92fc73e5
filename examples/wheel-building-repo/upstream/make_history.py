"""Create the git repository of the example project: two branches and two tags, always with the same hashes.

python upstream/make_history.py FOLDER

The first commit has the files of project/; each branch adds the patches in its folder of history/, in the
format of `git format-patch`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WHO, ADDRESS = "The skyclock developers", "skyclock@example.org"
FIRST = ("2026-03-02T10:00:00+0000", "Tell Julian days and moments")
TAGS = {"v1.0.0": "main~2", "v1.1.0": "main~1"}

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    **{f"GIT_{role}_NAME": WHO for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": ADDRESS for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_DATE": FIRST[0] for role in ("AUTHOR", "COMMITTER")},
    # Ignore the user's settings: no signatures, no hooks, no conversion of line endings.
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def main(folder: str) -> None:
    """Create the repository in a new folder."""
    repository = Path(folder)
    shutil.copytree(HERE / "project", repository)
    for path in sorted(repository.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)

    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=repository, env=ENVIRONMENT, check=True)

    git("init", "--quiet", "--initial-branch=main", "--object-format=sha1")
    git("add", "--all", "--force")
    git("commit", "--quiet", f"--message={FIRST[1]}")
    for patches in sorted((HERE / "history").iterdir(), key=lambda path: path.name != "main"):
        if patches.name != "main":
            git("checkout", "--quiet", "-b", patches.name, "v1.0.0")
        git("am", "--quiet", "--committer-date-is-author-date", *map(str, sorted(patches.iterdir())))
        for tag, commit in TAGS.items() if patches.name == "main" else ():
            git("tag", tag, commit)
    git("checkout", "--quiet", "main")


if __name__ == "__main__":
    main(*sys.argv[1:])
