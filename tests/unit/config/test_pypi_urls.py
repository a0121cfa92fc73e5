"""The URLs of PyPI are those that libraries know."""

from urllib.parse import urljoin

from pypi_simple import PYPI_SIMPLE_ENDPOINT
from twine import repository, utils

from wheelrelay.config import pypi_urls


def test_urls_are_those_of_libraries():
    assert pypi_urls.PYPI_SIMPLE == PYPI_SIMPLE_ENDPOINT
    assert pypi_urls.PYPI_UPLOAD == utils.DEFAULT_REPOSITORY
    assert urljoin(repository.TEST_WAREHOUSE, "simple/") == pypi_urls.TESTPYPI_SIMPLE
    assert pypi_urls.TESTPYPI_UPLOAD == utils.TEST_REPOSITORY


def test_former_urls_are_those_of_twine():
    assert pypi_urls.FORMER_PYPI == (repository.LEGACY_PYPI, repository.OLD_WAREHOUSE)
    assert pypi_urls.FORMER_TESTPYPI == (repository.LEGACY_TEST_PYPI,)
