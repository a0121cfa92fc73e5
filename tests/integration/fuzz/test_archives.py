"""Random changes of wheels and sdists."""

import io
import tarfile
import zipfile

import pytest
from hypothesis import strategies as st
from tests.integration.fuzz.conftest import fuzz
from tests.integration.fuzz.strategies import HTML, joined

import wheelrelay
from wheelrelay.testing import make_sdist, make_wheel

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The bytes of a wheel."""
    return make_wheel(tmp_path_factory.mktemp("wheel"), "sample", "1.0").read_bytes()


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The bytes of an sdist, and the contents of its members."""
    whole = make_sdist(tmp_path_factory.mktemp("sdist"), "sample", "1.0").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        members = [(member, archive.extractfile(member)) for member in archive if member.isfile()]
        return whole, {member.name: content.read() for member, content in members}


CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6)


@fuzz(kind=st.sampled_from(["wheel", "sdist"]), changes=CHANGES, cut=st.floats(0.3, 2))
def test_archive_with_changed_bytes_is_checked(guard, wheel, sdist, kind, changes, cut):
    body = bytearray(wheel if kind == "wheel" else sdist[0])
    for position, value in changes:
        body[int(position * (len(body) - 1))] = value
    del body[int(cut * len(body)) :]
    name = "sample-1.0-py3-none-any.whl" if kind == "wheel" else "sample-1.0.tar.gz"
    check_archive(guard, name, bytes(body))


MEMBERS = st.lists(
    st.tuples(
        joined(
            "sample-1.0",
            "sample-1.0.dist-info",
            "/",
            "METADATA",
            "PKG-INFO",
            "WHEEL",
            "RECORD",
            "../",
            "x.py",
        ),
        st.binary(max_size=30) | HTML.map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.sampled_from(
            [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
        ),
    ),
    max_size=5,
)

METADATA = joined(
    "Metadata-Version: 2.1\n", "Name: sample\n", "Version: 1.0\n", "\n", "Summary: ", "Requires-Dist: "
)


@pytest.mark.filterwarnings("ignore:Duplicate name")  # such archives are among the examples
@fuzz(kind=st.sampled_from(["wheel", "sdist"]), members=MEMBERS, metadata=METADATA)
def test_archive_with_unusual_members_is_checked(guard, wheel, sdist, kind, members, metadata):
    text = metadata.encode("utf-8", "surrogatepass")
    members = [
        member for member in members if "\ud800" not in member[0]
    ]  # no archive can contain such a name
    made = io.BytesIO(wheel if kind == "wheel" else b"")
    if kind == "wheel":
        with zipfile.ZipFile(made, "a") as archive:
            for name, content, _ in [*members, ("sample-1.0.dist-info/METADATA2", text, b"")]:
                if name.partition("\0")[0]:  # zipfile ends names at a NUL, and ignores empty ones
                    archive.writestr(name, content)
    else:
        with tarfile.open(fileobj=made, mode="w:gz") as archive:
            whole = {**sdist[1], "sample-1.0/PKG-INFO": text}
            for name, content, member_type in [
                *members,
                *((name, content, tarfile.REGTYPE) for name, content in whole.items()),
            ]:
                member = tarfile.TarInfo(name or "x")
                member.type, member.size = member_type, len(content) if member_type == tarfile.REGTYPE else 0
                member.linkname = "../../outside"
                archive.addfile(member, io.BytesIO(content))
    name = "sample-1.0-py3-none-any.whl" if kind == "wheel" else "sample-1.0.tar.gz"
    check_archive(guard, name, made.getvalue())


def check_archive(guard, name, body):
    """Check an archive, and verify that nothing is unpacked next to it."""
    path = guard.folder / "input" / name
    path.write_bytes(body)
    with guard():
        for finding in wheelrelay.check([str(path)]):
            assert finding.message
    path.unlink()
    assert not [file for file in (guard.folder / "input").iterdir() if file.suffix not in (".toml", "")]
