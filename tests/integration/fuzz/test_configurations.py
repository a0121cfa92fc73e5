"""Random configurations."""

import json

import pytest
from hypothesis import strategies as st
from tests.integration.fuzz.conftest import fuzz
from tests.integration.fuzz.strategies import VALUES, joined

from wheelrelay.config import load_config

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]

KEYS = st.sampled_from(
    [
        *(
            "type",
            "path",
            "url",
            "upload_url",
            "token",
            "password",
            "pages",
            "retention",
            "keep",
            "max_age",
            "confirm",
        ),
        *(
            "checks",
            "ignore",
            "source",
            "sinks",
            "projects",
            "wheels",
            "sdist",
            "mode",
            "wait",
            "expect",
            "commit",
        ),
        *(
            "cibuildwheel",
            "sha256sums",
            "count",
            "timeout",
            "options",
            "bucket",
            "container",
            "prefix",
            "trust",
        ),
    ]
)

SCALARS = (
    st.sampled_from(
        [
            *(
                "directory",
                "index",
                "pypi",
                "fsspec",
                "listing",
                "mirror",
                "./x",
                "https://example.org/",
                "1d",
            ),
            *("99999999999d", "cp3{11,12}-*-*", "{1,2}" * 25, "s3://[", "memory://x", "x" * 300, "input"),
        ]
    )
    | VALUES
)

TABLES = st.recursive(
    st.dictionaries(KEYS, SCALARS, max_size=5),
    lambda inner: st.dictionaries(KEYS, inner | SCALARS, max_size=4),
    max_leaves=4,
)


def toml(value):
    """Return a value as TOML, or as the closest value that TOML has."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(str(key))} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, float):
        return repr(value)
    return '"none"' if value is None else json.dumps(value)


@fuzz(st.dictionaries(joined("here", "a b"), TABLES, max_size=3), TABLES, st.none() | st.text(max_size=60))
def test_configuration_is_loaded_or_refused(guard, remotes, route, text):
    whole = f"remotes = {toml(remotes)}\nroutes = {toml({'main': route})}\n" if text is None else text
    path = guard.folder / "input" / "wheelrelay.toml"
    path.write_bytes(whole.encode("utf-8", "surrogatepass"))
    with guard():
        config = load_config(path)
        for name in ("here", "main"):
            with guard():
                config.remote(name)
            with guard():
                config.route(name)
