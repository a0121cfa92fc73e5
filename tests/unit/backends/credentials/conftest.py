"""An index without credentials in any place."""

import keyring as keyring_library
import pytest
from tests.servers.oidc import run_trusting_index
from tests.unit.backends.credentials.surroundings import PLACES, Surroundings


@pytest.fixture
def around(home, monkeypatch):
    """Yield an index and the places around it, all of them empty."""
    before = keyring_library.get_keyring()
    with run_trusting_index() as index:
        index.accounts |= {user: f"{user}'s" for user in ("ci", *(place.__name__ for place in PLACES))}
        yield Surroundings(index, home, monkeypatch)
    keyring_library.set_keyring(before)


@pytest.fixture
def index():
    """An index that trusts the jobs of a repository; none runs yet."""
    with run_trusting_index() as running:
        yield running


@pytest.fixture
def job(index, monkeypatch):
    """The same, and this is a job of that repository."""
    for name, value in index.github().items():
        monkeypatch.setenv(name, value)
    return index
