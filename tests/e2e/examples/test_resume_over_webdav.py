"""What breaks off on its way from the WebDAV server of the example goes on where it broke."""

import pytest
from tests.e2e.examples.test_third_party_backend import EXAMPLE, PASSWORD, share
from tests.servers.breaking import make_wheels, move, require_resumed, run_breaking

from wheelrelay.config import as_remote

__all__ = ["share"]


@pytest.mark.parametrize("seed", [2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 9))])
def test_interrupted_download_resumes(
    tmp_path,
    share,
    monkeypatch,
    seed,
):
    monkeypatch.syspath_prepend(EXAMPLE / "src")
    monkeypatch.setenv("DAV_PASSWORD", PASSWORD)
    from wheelrelay_webdav.config import WebDavConfig

    files = make_wheels(tmp_path / "dist", seed, 1_500_000)
    config = WebDavConfig(url=share, username="ci", password={"env": "DAV_PASSWORD"})
    assert move(as_remote(str(tmp_path / "dist")), as_remote(config)).is_complete
    with run_breaking(share.removesuffix("wheels/"), seed) as (gateway, breaking):
        source = config.model_copy(update={"url": f"{gateway.url}wheels/"})
        assert move(as_remote(source), as_remote(str(tmp_path / "out"))).is_complete
    require_resumed(breaking, files, tmp_path / "out")
