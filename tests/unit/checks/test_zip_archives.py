"""Checks of zip archives: all readers see the same members, and nothing else is in the file."""

import random
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.unit.checks.zip_builder import Zipped

from wheelrelay.checks import inspect, open_distribution
from wheelrelay.testing.broken import BROKEN
from wheelrelay.testing.broken_archives import stored_wheel, streamed_wheel
from wheelrelay.testing.samples import make_wheel, write_zip

INIT = "sample/__init__.py"


def edit(path, change):
    content = bytearray(path.read_bytes())
    changed = change(content)
    path.write_bytes(content if changed is None else changed)
    return path


def rewrite(path, change):
    """Rewrite an archive, with ``change`` applied to each `zipfile.ZipInfo`."""
    with zipfile.ZipFile(path) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for info, content in members:
            change(info)
            archive.writestr(info, content)
    return path


def set_bytes(position, value):
    def change(content):
        content[position : position + len(value)] = value

    return change


def test_members_have_size_and_digest(tmp_path):
    path = make_wheel(tmp_path, payload=b"x" * 3_000_000)
    members = open_distribution(path).members
    assert members["sample/payload.bin"].size == 3_000_000
    assert members["sample/payload.bin"].digest.startswith("sha256=")


@pytest.mark.parametrize(
    ("position", "value"),
    [
        pytest.param(6, b"\x02", id="flags"),
        pytest.param(8, b"\x08", id="compression"),
        pytest.param(14, b"\0\0\0\0", id="checksum"),
        pytest.param(22, b"\x01", id="size"),
        pytest.param(31, b"x", id="name"),
    ],
)
def test_reports_local_header_that_differs(position, value, tmp_path, check_ids):
    assert check_ids(edit(stored_wheel(tmp_path), set_bytes(position, value))) == {"zip-headers-differ"}


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(0x2, id="maximum compression"),
        pytest.param(0x4, id="fast compression"),
        pytest.param(0x6, id="super fast compression"),
        pytest.param(0x800, id="UTF-8 name"),
        pytest.param(0x6 | 0x800, id="several"),
    ],
)
def test_accepts_harmless_flag_bits(flags, tmp_path, check_ids):
    """Bits 1 and 2 describe the compression level (APPNOTE.TXT, section 4.4.4)."""
    assert check_ids(Zipped(flags=flags, deflated=True)(tmp_path)) == set()


def test_reports_data_before_the_archive(tmp_path, findings):
    (finding,) = findings(edit(make_wheel(tmp_path), lambda content: b"#!/bin/sh\n" + content))
    assert finding.check == "archive-stray-data"
    assert "10 bytes" in finding.message


def test_reports_data_before_the_central_directory(tmp_path, check_ids):
    def change(content):
        end = struct.unpack_from("<L", content, len(content) - 6)[0]
        content[-6:-2] = struct.pack("<L", end + 5)
        return content[:end] + b"stray" + content[end:]

    assert check_ids(edit(make_wheel(tmp_path), change)) == {"archive-stray-data"}


def test_reports_concatenated_archives(tmp_path, check_ids):
    first, second = make_wheel(tmp_path), make_wheel(tmp_path / "other", payload=b"x")
    assert "archive-stray-data" in check_ids(edit(first, lambda content: content + second.read_bytes()))


def test_accepts_archive_comment(tmp_path, check_ids):
    path = make_wheel(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"an archive comment"
    assert check_ids(path) == set()


def test_reports_member_missing_from_the_central_directory(tmp_path, check_ids):
    path = make_wheel(tmp_path, files={"evil.py": b"import os"}, compression=zipfile.ZIP_STORED)
    with zipfile.ZipFile(path, "a") as archive:
        archive.filelist.remove(archive.getinfo("evil.py"))
        archive.comment = b""
    assert {"archive-stray-data", "record-absent"} == check_ids(path)


def test_reports_entries_that_share_their_data(tmp_path, check_ids):
    path = make_wheel(tmp_path, compression=zipfile.ZIP_STORED)
    with zipfile.ZipFile(path, "a") as archive:
        copy = zipfile.ZipInfo("copy.py")
        original = archive.getinfo(INIT)
        copy.header_offset, copy.CRC = original.header_offset, original.CRC
        copy.file_size = copy.compress_size = original.file_size
        archive.filelist.append(copy)
        archive.comment = b""
    assert "zip-headers-differ" in check_ids(path)


def test_reports_encrypted_members(tmp_path, findings):
    path = make_wheel(tmp_path, compression=zipfile.ZIP_STORED)

    def change(content):
        content[6] |= 1
        central = content.index(b"PK\1\2")
        content[central + 8] |= 1

    assert any("encrypted" in finding.message for finding in findings(edit(path, change)))


def test_accepts_folders_and_zip64_members(tmp_path, check_ids):
    path = make_wheel(tmp_path)
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("sample")
        for name, content in members.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                member.write(content)
    assert check_ids(path) == set()


def test_large_wheel_can_be_read_in_parallel(tmp_path):
    """The findings are the same, in the same order, and each batch is read once."""
    parts = {f"sample/{number}.bin": bytes([number]) * (17 << 20) for number in range(5)}
    path = make_wheel(tmp_path, files=parts, compression=zipfile.ZIP_STORED)
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    with path.open("r+b") as raw:
        for info in infos:
            if info.filename in ("sample/1.bin", "sample/3.bin"):
                raw.seek(info.header_offset + 1_000)
                raw.write(b"x")
    seen = []

    def last_first(read, portions):
        seen.extend(portions)
        return reversed([read(portion) for portion in reversed(portions)])

    one_by_one, at_once = inspect(path), inspect(path, map_function=last_first)
    assert len(seen) > 1
    assert sorted(info.filename for portion in seen for info in portion) == sorted(
        info.filename for info in infos
    )
    assert one_by_one == at_once
    corrupt = [finding for finding in at_once.findings if finding.check == "archive-corrupt"]
    assert [finding.message.split()[0].strip("'") for finding in corrupt] == ["sample/1.bin", "sample/3.bin"]
    with ThreadPoolExecutor(2) as pool:
        assert inspect(path, map_function=pool.map) == one_by_one


def test_accepts_utf8_names(tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, files={"sample/größe.py": b""})) == set()


def test_reports_non_ascii_names_without_utf8_flag(tmp_path, check_ids):
    path = make_wheel(tmp_path, files={"sample/gr.py": b""})
    assert "zip-headers-differ" in check_ids(
        edit(path, lambda content: content.replace(b"/gr.py", b"/g\x94.py"))
    )


def test_reports_nul_in_a_name(tmp_path, check_ids):
    path = make_wheel(tmp_path, files={"sample/gr.py": b""})
    assert "member-path" in check_ids(edit(path, lambda content: content.replace(b"/gr.py", b"/g\0.py")))


@pytest.mark.parametrize("name", ["/etc/passwd", "C:/x", "a/../../b", "a\\b", "..", "./../x"])
def test_reports_unsafe_paths(name, tmp_path, check_ids):
    assert "member-path" in check_ids(make_wheel(tmp_path, files={name: b""}))


def test_inflates_no_more_than_the_declared_size(tmp_path, check_ids):
    path = make_wheel(tmp_path, payload=bytes(10_000_000))

    def change(content):
        for mark, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
            at = content.index(mark, content.index(mark) + 1)
            content[at + offset : at + offset + 4] = struct.pack("<L", 1000)

    assert {"archive-corrupt"} <= check_ids(edit(path, change)) <= {"archive-corrupt", "record-size"}


def test_reads_members_with_data_descriptors(tmp_path):
    members = open_distribution(streamed_wheel(tmp_path)).members
    assert all(member.digest for member in members.values())


def test_random_damage_causes_no_error(tmp_path):
    """Random changes of bytes cause findings or nothing, but no exception."""
    chance = random.Random(20260320)
    sound = make_wheel(tmp_path, compression=zipfile.ZIP_STORED).read_bytes()
    path = tmp_path / "sample-1.0-py3-none-any.whl"
    noticed = 0
    for _ in range(400):
        content = bytearray(sound)
        at = chance.randrange(len(content))
        content[at : at + chance.choice([0, 1, 4])] = chance.randbytes(chance.choice([1, 4, 20]))
        path.write_bytes(content[: chance.choice([len(content), len(content), at])])
        ids = {finding.check for finding in inspect(path).findings}
        assert "check-failed" not in ids
        noticed += bool(ids)
    assert noticed > 350


def test_number_of_findings_is_limited(tmp_path, findings):
    path = make_wheel(tmp_path, files={f"../{number}": b"" for number in range(1000)})
    assert len(findings(path)) < 50


def test_empty_archive_has_no_dist_info(tmp_path, check_ids):
    path = tmp_path / "sample-1.0-py3-none-any.whl"
    write_zip(path, {})
    assert check_ids(path) == {"wheel-dist-info"}


def test_reports_empty_file(tmp_path, check_ids):
    path = tmp_path / "sample-1.0-py3-none-any.whl"
    path.touch()
    assert check_ids(path) == {"archive-unreadable"}


def test_wheel_over_the_ratio_of_pypi_is_read_completely(tmp_path, check_ids):
    path = BROKEN["archive-ratio"].broken(tmp_path)
    assert check_ids(path) == {"archive-ratio"}
    content = bytearray(path.read_bytes())
    content[1000] ^= 1  # in the payload
    path.write_bytes(content)
    assert check_ids(path) == {"archive-corrupt", "archive-ratio"}


def test_wheel_of_extreme_ratio_is_not_unpacked(tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, payload=bytes(65 << 20))) == {"archive-limits", "archive-ratio"}
