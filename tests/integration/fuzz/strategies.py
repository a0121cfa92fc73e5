"""Strategies of hypothesis that several tests share."""

from hypothesis import strategies as st

UNUSUAL = st.sampled_from(
    [
        "",
        "\0",
        "\n",
        "\r",
        "\u2028",
        "\ud800",
        "\u0130",
        "\u0660",
        "..",
        "/",
        "\\",
        "C:",
        "%2f",
        "\x1b[2J",
        "é",
    ]
)


def joined(*pieces: str) -> st.SearchStrategy[str]:
    """Return texts of these pieces, of unusual characters, and of random ones."""
    return st.lists(st.sampled_from(pieces) | UNUSUAL | st.text(max_size=4), max_size=14).map("".join)


NAMES = joined(
    *("sample", "Sample.Name", "-", "_", ".", "1.0", "1!2.0.post3.dev4+local", "9" * 30, "cp312", "abi3t"),
    *("py2.py3", "none", "any", "manylinux_2_17_x86_64", "macosx_11_0_universal2", ".whl", ".tar.gz", ".zip"),
    *(".asc", ".metadata", ".sigstore", ".publish.attestation"),
)

HTML = joined(
    *(
        "<!DOCTYPE html>",
        "<html>",
        "<!--",
        "-->",
        "<a href='",
        "<a href=",
        "'>",
        "</a>",
        "<base href=",
        "<",
        ">",
    ),
    *("<meta name='pypi:repository-version' content='1.0'>", "<meta name=pypi:repository-version content="),
    *(
        "sample-1.0-py3-none-any.whl",
        "#sha256=",
        "0" * 64,
        "https://example.org/",
        "//[::1",
        "data-yanked=''",
    ),
    *("&#x110000;", "&#0;", "&amp", "<![CDATA[", "]]>", "<?x", "<script>", "data-requires-python='>=3'", "é"),
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NAMES | st.just("0" * 64) | st.just("1.0"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
