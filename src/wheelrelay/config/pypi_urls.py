"""The URLs of PyPI and TestPyPI.

The libraries that have them as constants, twine and pypi-simple, take longer to import than a small release
takes to publish. A test compares these constants with theirs.
"""

PYPI_SIMPLE = "https://pypi.org/simple/"
PYPI_UPLOAD = "https://upload.pypi.org/legacy/"
TESTPYPI_SIMPLE = "https://test.pypi.org/simple/"
TESTPYPI_UPLOAD = "https://test.pypi.org/legacy/"

FORMER_PYPI = ("https://pypi.python.org/", "https://upload.pypi.io/")
FORMER_TESTPYPI = ("https://testpypi.python.org/",)
"""URLs with former hosts, which old files still have."""
