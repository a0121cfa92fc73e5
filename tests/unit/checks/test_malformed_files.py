"""Malformed metadata files raise no error in a check, and the upload form is built or refused."""

import random
import tarfile
from io import BytesIO

import pytest

from wheelrelay.backends.index.upload_form import form_fields
from wheelrelay.checks import inspect
from wheelrelay.errors import Rejected
from wheelrelay.testing import make_wheel, stage_path
from wheelrelay.testing.samples import metadata_of, record_of, sdist_members, wheel_members

INFO = "sample-1.0.dist-info"
TEXTS = {
    f"{INFO}/METADATA": metadata_of(
        "sample", "1.0", {"Requires-Dist": ["x>1; extra == 'y'"], "Keywords": "a,b"}
    ),
    f"{INFO}/WHEEL": wheel_members("sample", "1.0")[f"{INFO}/WHEEL"],
    f"{INFO}/RECORD": record_of(wheel_members("sample", "1.0"), f"{INFO}/RECORD"),
    f"{INFO}/entry_points.txt": b"[console_scripts]\nrun = sample:main [extra]\n",
}
PIECES = (
    b"",
    b"\n",
    b"\n ",
    b":",
    b",",
    b"-",
    b".",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b"[",
    b"]",
    b"=",
    b"%s",
    b"@ ",
    b"'",
)
LINES = (
    *(b"Tag: cp3.14-none-any", b"Tag: py3-none-", b"Tag: --", b"Build: x", b"Wheel-Version: \xe9", b"Name: "),
    *(
        b"Metadata-Version: x",
        b"Project-URL: a, b",
        b"Project-URL: a, b",
        b"Author-email: <@>",
        b"Dynamic: Name",
    ),
    *(b"License-File: ../../x", b"Description-Content-Type: ;;", b"Requires-Dist: a @ b", b"Classifier: "),
    *(
        b"Home-page: http://[",
        b"Content-Transfer-Encoding: base64",
        b"Content-Type: multipart/mixed; boundary=x",
    ),
)


def mutated(text, random_):
    for _ in range(random_.randint(1, 4)):
        if random_.random() < 0.4:
            lines = text.split(b"\n")
            lines.insert(random_.randrange(len(lines)), random_.choice(LINES))
            text = b"\n".join(lines)
        else:
            position = random_.randrange(len(text) + 1)
            text = text[:position] + random_.choice(PIECES) + text[position + random_.randint(0, 3) :]
    return text


def inspect_and_build_form(path):
    staged = stage_path(path)
    inspection = inspect(staged)
    assert "check-failed" not in {finding.check for finding in inspection.findings}
    try:
        form_fields(staged)
    except Rejected:
        return
    for _, value in form_fields(staged):
        str(value).encode()


@pytest.mark.parametrize("member", TEXTS)
def test_malformed_files_in_a_wheel_cause_no_error(member, tmp_path):
    random_ = random.Random(member)
    for _ in range(60):
        inspect_and_build_form(
            make_wheel(tmp_path, unrecorded={**TEXTS, member: mutated(TEXTS[member], random_)})
        )


def test_malformed_metadata_in_an_sdist_cause_no_error(tmp_path):
    random_ = random.Random("sdist")
    for _ in range(60):
        members = {**sdist_members("sample", "1.0"), "PKG-INFO": mutated(TEXTS[f"{INFO}/METADATA"], random_)}
        path = tmp_path / "sample-1.0.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for name, content in members.items():
                info = tarfile.TarInfo(f"sample-1.0/{name}")
                info.size = len(content)
                archive.addfile(info, BytesIO(content))
        inspect_and_build_form(path)
