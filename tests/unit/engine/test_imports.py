"""The engine depends on data and protocols, not on the libraries of configuration and output."""

import subprocess
import sys

HEAVY = ("pydantic", "rich", "twine", "keyring", "sigstore")


def test_engine_imports_no_heavy_library():
    code = (
        "import sys, wheelrelay.engine.run, wheelrelay.engine.verifying\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
