"""RECORD and the files of the wheel."""

import hashlib
from base64 import urlsafe_b64encode

import pytest

from wheelrelay.testing.samples import make_wheel, record_of, wheel_members

INFO = "sample-1.0.dist-info"
INIT = "sample/__init__.py"


def with_record(folder, edit):
    record = record_of(wheel_members("sample", "1.0"), f"{INFO}/RECORD").decode()
    return make_wheel(folder, unrecorded={f"{INFO}/RECORD": edit(record).encode()})


@pytest.mark.parametrize("algorithm", ["sha384", "sha512", "sha256"])
def test_record_accepts_any_secure_algorithm(algorithm, tmp_path, check_ids):
    content = wheel_members("sample", "1.0")[INIT]
    digest = urlsafe_b64encode(hashlib.new(algorithm, content).digest()).rstrip(b"=").decode()

    def edit(record):
        others = record.split("\n", 1)[1]
        return f"{INIT},{algorithm}={digest},{len(content)}\n{others}"

    assert check_ids(with_record(tmp_path, edit)) == set()
    assert check_ids(with_record(tmp_path, lambda record: edit(record).replace(digest, digest[::-1]))) == {
        "record-hash"
    }


def test_ignores_record_of_another_dist_info(tmp_path, check_ids):
    vendored = {"other-2.0.dist-info/RECORD": b""}
    members = {**wheel_members("sample", "1.0"), **vendored}
    lines = [
        f"{path},sha512={urlsafe_b64encode(hashlib.sha512(content).digest()).rstrip(b'=').decode()},\n"
        for path, content in members.items()
    ]
    record = {f"{INFO}/RECORD": "".join(lines).encode()}
    assert check_ids(make_wheel(tmp_path, files=vendored, unrecorded=record)) == {"wheel-stray-dist-info"}


@pytest.mark.parametrize("digest", ["md5=1B2M2Y8AsgTpgAmY7PhCfg", "", "sha1=x"])
def test_warns_of_weak_and_missing_digests(digest, tmp_path, findings):
    def edit(record):
        return f"{INIT},{digest},\n" + record.split("\n", 1)[1]

    (finding,) = findings(with_record(tmp_path, edit))
    assert finding.check == "record-digest"
    assert INIT in finding.message


def test_record_may_omit_itself_and_sizes(tmp_path, check_ids):
    """Also its signatures; and old tools wrote backslashes."""

    def edit(record):
        lines = [line.rpartition(",")[0] + "," for line in record.splitlines() if not line.endswith(",,")]
        return "\n".join(lines).replace(INIT, INIT.replace("/", "\\"))

    assert check_ids(with_record(tmp_path, edit)) == set()
    signed = {f"{INFO}/RECORD.jws": b"", f"{INFO}/RECORD.p7s": b""}
    assert check_ids(make_wheel(tmp_path, unrecorded=signed)) == {"wheel-signature"}


def test_accepts_names_with_commas_and_quotes(tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, files={'sample/a, "b".txt': b""})) == set()


def test_reports_record_that_is_not_utf8(tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, unrecorded={f"{INFO}/RECORD": b"\xff\xfe"})) == {"record-syntax"}


@pytest.mark.parametrize("is_true", [True, False])
def test_compares_hexadecimal_digests(is_true, tmp_path, findings):
    content = wheel_members("sample", "1.0")[INIT] if is_true else b"another content"
    digest = hashlib.sha256(content).hexdigest()

    def edit(record):
        return f"{INIT},sha256={digest},\n" + record.split("\n", 1)[1]

    ids = {finding.check for finding in findings(with_record(tmp_path, edit))}
    assert ids == ({"record-digest"} if is_true else {"record-digest", "record-hash"})
