"""Run the programs that build, repair and test."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def run(program: str, *arguments: str, **variables: str) -> None:
    """Run a program that is installed beside this Python, or on the path; ends if it is not there or fails.

    Args:
        program: its name.
        arguments: what it is given.
        variables: set in its environment, beside those that are there.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which(program, path=path)
    if found is None:
        sys.exit(f"{program} is needed here, and is neither beside {sys.executable} nor on the path.")
    sys.stdout.flush()
    done = subprocess.run([found, *arguments], env={**os.environ, "PATH": path, **variables}, check=False)
    if done.returncode:
        sys.exit(f"{program} failed.")
