"""Run the programs that build, repair and test."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def run(program: str, *arguments: str, **variables: str) -> None:
    """Run a program from the directory of this Python or from PATH; exit if it is missing or fails.

    Args:
        program: its name.
        arguments: its arguments.
        variables: additional environment variables.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which(program, path=path)
    if found is None:
        sys.exit(f"{program} is required, but is neither next to {sys.executable} nor on PATH.")
    sys.stdout.flush()
    done = subprocess.run([found, *arguments], env={**os.environ, "PATH": path, **variables}, check=False)
    if done.returncode:
        sys.exit(f"{program} failed.")
