"""``compare``: how two releases differ."""

import json

import pytest
from jsonschema import validate

from wheelrelay.documents import document_schema
from wheelrelay.testing import make_sdist, make_wheel

MANYLINUX = "cp313-cp313-manylinux_2_{}_x86_64"


@pytest.fixture
def releases(here):
    folder = here / "dist"
    make_wheel(folder, "sample", "1.0", tag=MANYLINUX.format(17), metadata={"Requires-Dist": "other>=1"})
    make_wheel(folder, "sample", "1.0", tag="cp313-cp313-win_arm64", metadata={"Requires-Dist": "other>=1"})
    make_sdist(folder, "sample", "1.0")
    make_wheel(folder, "sample", "1.1", tag=MANYLINUX.format(28), metadata={"Requires-Dist": "other>=2"})
    make_wheel(folder, "sample", "1.1", tag="cp314-cp314-win_arm64", metadata={"Requires-Dist": "other>=2"})
    return folder


def test_shows_what_differs(wheelrelay, releases):
    ended = wheelrelay("compare", "./dist", "sample==1.0", "sample==1.1")

    assert ended.code == 0
    assert ended.out.splitlines() == [
        *ended.out.splitlines()[:5],
        "lost: CPython 3.13 on Windows arm64. There, pip installs an older release.",
        "needs a later system: glibc 2.28 instead of glibc 2.17, for CPython 3.13 on manylinux x86_64.",
        "gained: CPython 3.14 on Windows arm64.",
        "dependencies:",
        "  - other>=1",
        "  + other>=2",
        "Unchanged: extras, entry points.",
    ]
    assert " ".join(ended.out.splitlines()[1].split()) == "files 2 wheels, 1 sdist 2 wheels, 0 sdists"


def test_the_document_has_its_schema(wheelrelay, releases):
    document = json.loads(wheelrelay("compare", "./dist", "sample==1.0", "sample==1.1", "--json").out)

    validate(document, document_schema("comparison"))
    assert document["dependencies"] == {"removed": ["other>=1"], "added": ["other>=2"]}
    changes = {(entry["change"], entry["platform"]) for entry in document["environments"]}
    assert changes == {("lost", "Windows arm64"), ("raised", "manylinux x86_64"), ("gained", "Windows arm64")}


def test_reads_releases_from_a_real_index(wheelrelay, releases, open_pypiserver):
    for path in releases.iterdir():
        (open_pypiserver.folder / path.name).write_bytes(path.read_bytes())

    words = "sample==1.0", "sample==1.1", "--json"
    local = json.loads(wheelrelay("compare", "./dist", *words).out)
    remote = json.loads(wheelrelay("compare", open_pypiserver.url, *words).out)
    for document in (local, remote):  # pages of this index have no sizes
        for release in (document["before"], document["after"]):
            del release["size"], release["metadata_from"]
        del document["sizes"]
    assert remote == local


def test_a_missing_version_fails(wheelrelay, releases):
    ended = wheelrelay("compare", "./dist", "sample==1.0", "sample==3.0")

    assert ended.code == 1
    assert "Available versions of sample: 1.0, 1.1." in ended.err
