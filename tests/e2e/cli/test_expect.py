"""``expect`` writes a table that works as it stands."""

import json

import pytest

from wheelrelay.testing import make_sdist, make_wheel


@pytest.fixture
def earlier(here):
    """An earlier release in ``./earlier``, and the same one with a wheel less in ``./dist``."""
    for tag in ("cp312-cp312-win_amd64", "cp313-cp313-win_amd64", "cp313-cp313-macosx_11_0_arm64"):
        make_wheel(here / "earlier", "sample", "1.0", tag)
        if "macosx" not in tag:
            make_wheel(here / "dist", "sample", "1.1", tag)
    make_sdist(here / "earlier", "sample", "1.0")
    make_sdist(here / "dist", "sample", "1.1")
    return here


def test_table_refuses_a_release_that_lost_a_wheel(wheelrelay, earlier):
    config = earlier / "wheelrelay.toml"
    config.write_text('[routes.stable]\nsource = "./dist"\nsinks = ["./out"]\n')
    ended = wheelrelay("expect", "--from", "./earlier", "sample==1.0")
    assert ended.code == 0
    assert ended.out == (
        "[routes.stable.expect]  # as sample 1.0\n"
        "wheels = [\n"
        '  "cp313-*-macosx*_arm64",\n'
        '  "cp{312,313}-*-win_amd64",\n'
        "]\n"
        "sdist = true\n"
    )
    config.write_text(config.read_text() + ended.out)
    refused = wheelrelay("relay", "stable")
    assert refused.code == 3
    assert "cp313-*-macosx*_arm64 is missing." in refused.err


def test_json(wheelrelay, earlier):
    document = json.loads(wheelrelay("expect", "--from", "./earlier", "sample", "--json").out)
    assert document == {"wheels": ["cp313-*-macosx*_arm64", "cp{312,313}-*-win_amd64"], "sdist": True}


def test_unknown_release_exits_with_1(wheelrelay, earlier):
    ended = wheelrelay("expect", "--from", "./earlier", "sample==9")
    assert ended.code == 1
    assert "1.0" in ended.err
