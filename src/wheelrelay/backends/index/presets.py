"""The addresses of PyPI and TestPyPI, from the constants of libraries; imported late, for these are heavy."""

from urllib.parse import urljoin

from pypi_simple import PYPI_SIMPLE_ENDPOINT
from twine.repository import TEST_WAREHOUSE
from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

PYPI_SIMPLE = PYPI_SIMPLE_ENDPOINT
PYPI_UPLOAD = DEFAULT_REPOSITORY
TESTPYPI_SIMPLE = urljoin(TEST_WAREHOUSE, "simple/")
TESTPYPI_UPLOAD = TEST_REPOSITORY
