"""The URLs of PyPI and TestPyPI, from constants of libraries. Import this late: these libraries are slow."""

from urllib.parse import urljoin

from pypi_simple import PYPI_SIMPLE_ENDPOINT
from twine.repository import TEST_WAREHOUSE
from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

PYPI_SIMPLE = PYPI_SIMPLE_ENDPOINT
PYPI_UPLOAD = DEFAULT_REPOSITORY
TESTPYPI_SIMPLE = urljoin(TEST_WAREHOUSE, "simple/")
TESTPYPI_UPLOAD = TEST_REPOSITORY
