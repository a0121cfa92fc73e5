"""A workspace with secrets."""

import pytest
from tests.e2e.secrets.workspace import Workspace
from tests.servers.oidc import run_trusting_index

from wheelrelay.testing import make_sdist, make_wheel


@pytest.fixture
def workspace(tmp_path, home):
    """An index, a release in ``dist``, and a configuration."""
    for name in ("work", "secrets"):
        (tmp_path / name).mkdir()
    make_wheel(tmp_path / "work" / "dist", "sample", "1.0")
    make_sdist(tmp_path / "work" / "dist", "sample", "1.0")
    with run_trusting_index() as index:
        made = Workspace(index, tmp_path / "work", tmp_path / "secrets", home)
        made.configure()
        yield made
