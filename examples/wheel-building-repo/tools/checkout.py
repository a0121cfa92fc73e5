"""Check out the commit named by BUILD_COMMIT into build/source, and write its hash to build/commit.

BUILD_COMMIT=v1.0.0 python tools/checkout.py
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from settings import BUILD, COMMIT, EPOCH, ROOT, SOURCE, setting

FINAL = re.compile(r"v?\d+(\.\d+)*")
HASH = re.compile(r"[0-9a-f]{7,64}")


def main() -> None:
    """Clone the repository and check out the commit; exit with a message if it does not exist."""
    project, name = setting("PROJECT"), setting("BUILD_COMMIT")
    remove(SOURCE)
    for path in (COMMIT, EPOCH):
        path.unlink(missing_ok=True)
    BUILD.mkdir(exist_ok=True)
    git("clone", "--quiet", "--no-checkout", repository(setting("REPOSITORY")), str(SOURCE), cwd=ROOT)
    if not name:
        name = latest_tag(project)
    commit = resolve(project, name)
    git("checkout", "--quiet", "--detach", commit)
    COMMIT.write_text(commit + "\n", encoding="utf-8", newline="\n")
    EPOCH.write_text(git("show", "--no-patch", "--format=%ct", commit) + "\n", encoding="utf-8")
    print(f"{project} at {name}, commit {commit}, is in {SOURCE.relative_to(ROOT)}")


def repository(name: str) -> str:
    """Return the repository to clone; create the history of the example first."""
    script = ROOT / name / "make_history.py"
    if not script.is_file():
        return name
    made = BUILD / "upstream"
    remove(made)
    subprocess.run([sys.executable, str(script), str(made)], check=True)
    return str(made)


def latest_tag(project: str) -> str:
    """Return the tag of the highest final version."""
    finals = [tag for tag in tags() if FINAL.fullmatch(tag)]
    if not finals:
        sys.exit(f"BUILD_COMMIT is empty, and {project} has no tag of a release, such as v1.0.0.")
    return max(finals, key=lambda tag: [int(part) for part in tag.lstrip("v").split(".")])


def resolve(project: str, name: str) -> str:
    """Return the full hash of the commit of a branch, a tag or a hash."""
    found = set()
    if name in tags():
        found.add(commit_of(f"refs/tags/{name}"))
    if name in branches():
        found.add(commit_of(f"refs/remotes/origin/{name}"))
    if not found and HASH.fullmatch(name):
        found.add(commit_of(name))
    found.discard("")
    if len(found) > 1:
        sys.exit(f"BUILD_COMMIT={name} is a tag and a branch of {project}; use its hash instead.")
    if not found:
        sys.exit(
            f"BUILD_COMMIT={name}: {project} has no branch, no tag and no commit of that name.\n"
            f"Its branches: {', '.join(branches())}\nIts tags: {', '.join(tags())}\n"
            "A hash needs at least seven digits, and must be reachable from a branch or a tag."
        )
    return found.pop()


def commit_of(revision: str) -> str:
    """Return the hash of a commit, or an empty string if it does not exist."""
    command = ["rev-parse", "--quiet", "--verify", "--end-of-options", revision + "^{commit}"]
    done = subprocess.run(["git", *command], cwd=SOURCE, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def tags() -> list:
    """Return the names of all tags."""
    return git("tag", "--list").split()


def branches() -> list:
    """Return the names of all branches of the cloned repository."""
    names = git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/remotes/origin").split()
    return [name for name in names if name != "HEAD"]


def git(*arguments: str, cwd: Path = SOURCE) -> str:
    """Run git and return its output; exit with its error message if it fails."""
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def remove(folder: Path) -> None:
    """Remove a folder if it exists, including read-only files that git created."""
    for path in folder.rglob("*") if os.name == "nt" else ():
        path.chmod(0o700)
    if folder.exists():
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
