"""WHEEL, RECORD, entry points, and where they lie."""

import hashlib
from base64 import urlsafe_b64encode

import pytest

from wheelrelay.checks import inspect
from wheelrelay.records import Severity
from wheelrelay.testing.samples import make_wheel, record_of, wheel_members

INFO = "sample-1.0.dist-info"
INIT = "sample/__init__.py"


def with_record(folder, edit):
    record = record_of(wheel_members("sample", "1.0"), f"{INFO}/RECORD").decode()
    return make_wheel(folder, unrecorded={f"{INFO}/RECORD": edit(record).encode()})


def test_a_renamed_wheel_is_found_and_let_through(tmp_path, findings):
    path = make_wheel(tmp_path, filename="sample-1.0-py2.py3-none-any.whl")
    (finding,) = findings(path)
    assert finding.check == "wheel-tags"
    assert finding.severity is Severity.WARNING
    assert "py2-none-any" in finding.message


def test_compressed_tags_are_compared_expanded(tmp_path, found):
    tag = "cp27-cp27m-macosx_10_6_intel.macosx_10_9_intel"
    assert found(make_wheel(tmp_path, tag=tag)) == set()
    assert found(make_wheel(tmp_path, tag=tag, wheel={"Tag": tag})) == set()


def test_lines_that_are_no_tags_are_none(tmp_path, found):
    assert found(make_wheel(tmp_path, wheel={"Tag": "py3"})) == {"wheel-tags"}


@pytest.mark.parametrize("build", ["1", "123", "1abc"])
def test_build_tags_agree(build, tmp_path, found):
    assert found(make_wheel(tmp_path, build=build)) == set()
    assert found(make_wheel(tmp_path, build=build, wheel={"Build": None})) == {"wheel-build"}


@pytest.mark.parametrize("version", ["1.0", "1.9"])
def test_later_minor_versions_of_the_format_are_taken(version, tmp_path, found):
    assert found(make_wheel(tmp_path, wheel={"Wheel-Version": version})) == set()


@pytest.mark.parametrize("name", ["METADATA", "WHEEL", "RECORD"])
def test_each_part_of_dist_info_has_to_be_there(name, tmp_path, findings):
    told = findings(make_wheel(tmp_path, unrecorded={f"{INFO}/{name}": None}))
    assert [name in finding.message for finding in told if finding.check == "wheel-dist-info"] == [True]


def test_the_dist_info_of_another_project_is_none_of_this(tmp_path, found):
    members = {f"other-1.0.dist-info/{name}": b"" for name in ("METADATA", "WHEEL", "RECORD")}
    own = {f"{INFO}/{name}": None for name in ("METADATA", "WHEEL")}
    path = make_wheel(tmp_path, files={**members, **own}, unrecorded={f"{INFO}/RECORD": None})
    assert found(path) == {"wheel-dist-info"}


def test_a_vendored_dist_info_does_not_confuse(tmp_path, found):
    vendored = {"sample/_vendor/other-2.0.dist-info/METADATA": b"Name: other\n"}
    assert found(make_wheel(tmp_path, files=vendored)) == set()


def test_the_metadata_of_a_second_distribution_are_found(tmp_path, found):
    second = {"other-2.0.dist-info/METADATA": b"Name: other\n"}
    assert found(make_wheel(tmp_path, files=second)) == {"wheel-one-dist-info"}


@pytest.mark.parametrize("algorithm", ["sha384", "sha512", "sha256"])
def test_record_may_use_any_secure_algorithm(algorithm, tmp_path, found):
    content = wheel_members("sample", "1.0")[INIT]
    digest = urlsafe_b64encode(hashlib.new(algorithm, content).digest()).rstrip(b"=").decode()

    def edit(record):
        others = record.split("\n", 1)[1]
        return f"{INIT},{algorithm}={digest},{len(content)}\n{others}"

    assert found(with_record(tmp_path, edit)) == set()
    assert found(with_record(tmp_path, lambda record: edit(record).replace(digest, digest[::-1]))) == {
        "record-hash"
    }


def test_the_record_of_a_vendored_distribution_does_not_confuse(tmp_path, found):
    vendored = {"other-2.0.dist-info/RECORD": b""}
    members = {**wheel_members("sample", "1.0"), **vendored}
    lines = [
        f"{path},sha512={urlsafe_b64encode(hashlib.sha512(content).digest()).rstrip(b'=').decode()},\n"
        for path, content in members.items()
    ]
    record = {f"{INFO}/RECORD": "".join(lines).encode()}
    assert found(make_wheel(tmp_path, files=vendored, unrecorded=record)) == {"wheel-stray-dist-info"}


@pytest.mark.parametrize("digest", ["md5=1B2M2Y8AsgTpgAmY7PhCfg", "", "sha1=x"])
def test_weak_and_missing_digests_are_found(digest, tmp_path, findings):
    def edit(record):
        return f"{INIT},{digest},\n" + record.split("\n", 1)[1]

    (finding,) = findings(with_record(tmp_path, edit))
    assert finding.check == "record-digest"
    assert INIT in finding.message


def test_what_record_may_leave_out_it_may_leave_out(tmp_path, found):
    """Its own line, sizes, signatures; and old tools wrote backslashes."""

    def edit(record):
        lines = [line.rpartition(",")[0] + "," for line in record.splitlines() if not line.endswith(",,")]
        return "\n".join(lines).replace(INIT, INIT.replace("/", "\\"))

    assert found(with_record(tmp_path, edit)) == set()
    signed = {f"{INFO}/RECORD.jws": b"", f"{INFO}/RECORD.p7s": b""}
    assert found(make_wheel(tmp_path, unrecorded=signed)) == {"wheel-signature"}


def test_sboms_are_left_alone(tmp_path, found):
    """They may be anything in a folder of their own (PEP 770)."""
    sboms = {f"{INFO}/sboms/sample.cdx.json": b"{}", f"{INFO}/sboms/more/any": b"\xff"}
    assert found(make_wheel(tmp_path, files=sboms)) == set()


def test_names_with_commas_and_quotes_are_recorded(tmp_path, found):
    assert found(make_wheel(tmp_path, files={'sample/a, "b".txt': b""})) == set()


def test_a_record_that_is_no_text_is_found(tmp_path, found):
    assert found(make_wheel(tmp_path, unrecorded={f"{INFO}/RECORD": b"\xff\xfe"})) == {"record-syntax"}


@pytest.mark.parametrize(
    "text",
    [
        "[console_scripts]\nrun = a.b:c.d\n",
        "[console_scripts]\nrun = a.b:c [extra]\n[gui_scripts]\nRun-it.2 = a\n",
        "[my.plugins]\nname with spaces = anything at all\n",
        "# nothing\n",
        "",
    ],
)
def test_entry_points_of_the_specification_are_taken(text, tmp_path, found):
    assert found(make_wheel(tmp_path, files={f"{INFO}/entry_points.txt": text.encode()})) == set()


@pytest.mark.parametrize(
    "text",
    [
        "run = a:b\n",
        "[console_scripts]\n../run = a:b\n",
        "[console_scripts]\nrun = a:b\nrun = a:c\n",
        "[console_scripts]\nrun = a b c\n",
        "[console_scripts]\nrun = a:b:c\n",
        "[gui_scripts]\nrun\n",
        "[console_scripts\nrun = a:b\n",
        "\xff",
    ],
)
def test_entry_points_that_installers_cannot_use_are_found(text, tmp_path, found):
    path = make_wheel(tmp_path, files={f"{INFO}/entry_points.txt": text.encode("latin-1")})
    assert found(path) == {"entry-points"}


def test_memory_does_not_grow_with_the_members(tmp_path):
    import tracemalloc

    path = make_wheel(tmp_path, payload=bytes(48 << 20))
    tracemalloc.start()
    try:
        inspect(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


@pytest.mark.parametrize("is_true", [True, False])
def test_true_digests_in_hexadecimal_are_not_false(is_true, tmp_path, findings):
    content = wheel_members("sample", "1.0")[INIT] if is_true else b"another content"
    digest = hashlib.sha256(content).hexdigest()

    def edit(record):
        return f"{INIT},sha256={digest},\n" + record.split("\n", 1)[1]

    found = {finding.check for finding in findings(with_record(tmp_path, edit))}
    assert found == ({"record-digest"} if is_true else {"record-digest", "record-hash"})
