"""Build the C library as a shared library, and install it in build/prefix.

python tools/build_library.py
"""

import shutil

from run import run
from settings import BUILD, PREFIX, ROOT


def main() -> None:
    """Configure, compile and install."""
    tree = BUILD / "library"
    for folder in (tree, PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
    options = [
        "-DCMAKE_BUILD_TYPE=Release",
        f"-DCMAKE_INSTALL_PREFIX={PREFIX}",
        f"-DCMAKE_INSTALL_NAME_DIR={PREFIX / 'lib'}",  # macOS: where delocate finds it
    ]
    run("cmake", "-S", str(ROOT / "library"), "-B", str(tree), *options)
    run("cmake", "--build", str(tree), "--config", "Release")
    run("cmake", "--install", str(tree), "--config", "Release")


if __name__ == "__main__":
    main()
