"""The checks read the metadata that are uploaded, and metadata that they cannot read are an error."""

import io
import tarfile
import warnings
import zipfile

import pytest

from wheelrelay.checks import ChecksConfig, Profile, check_files, inspect
from wheelrelay.core_metadata import MAX_METADATA_SIZE, read_core_metadata
from wheelrelay.records import Severity
from wheelrelay.testing import make_sdist, make_wheel
from wheelrelay.testing.samples import metadata_of, sdist_members, wheel_members

OTHER = metadata_of("other", "9.9")
INFO = "sample-1.0.dist-info"


def wheel(*, method=zipfile.ZIP_DEFLATED, flags=0, first=(), **changes):
    """Return a builder of a wheel whose METADATA has a compression method and flags."""

    def make(folder):
        path = folder / "sample-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            for name, text in [*first, *wheel_members("sample", "1.0").items()]:
                archive.writestr(name, text, method if name.endswith("/METADATA") else None)
        if flags:
            content = bytearray(path.read_bytes())
            name = f"{INFO}/METADATA".encode()
            content[content.index(name) - 30 + 6] |= flags  # in the header before the member
            content[content.rindex(name) - 46 + 8] |= flags  # in the central directory
            path.write_bytes(content)
        return path

    return make


def sdist(*extra, without=()):
    """Return a builder of an sdist with additional members."""

    def make(folder):
        path = folder / "sample-1.0.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for name, text in sdist_members("sample", "1.0").items():
                if name not in without:
                    add(archive, name, text)
            for name, what in extra:
                add(archive, name, what)
        return path

    return make


def add(archive, name, what):
    info = tarfile.TarInfo(f"sample-1.0/{name}")
    if isinstance(what, bytes):
        info.size = len(what)
        archive.addfile(info, io.BytesIO(what))
    else:
        info.type, info.linkname = what
        archive.addfile(info)


def instead(kind, target, *extra):
    return sdist(*extra, ("PKG-INFO", (kind, target)), without=["PKG-INFO"])


UNREAD = {
    "PKG-INFO is a link to nothing": instead(tarfile.SYMTYPE, "gone/PKG-INFO"),
    "PKG-INFO is a link to itself": instead(tarfile.SYMTYPE, "PKG-INFO"),
    "PKG-INFO is a link to metadata of another project": instead(
        tarfile.SYMTYPE, "x.egg-info/PKG-INFO", ("x.egg-info/PKG-INFO", OTHER)
    ),
    "PKG-INFO is a hard link": instead(
        tarfile.LNKTYPE, "sample-1.0/x.egg-info/PKG-INFO", ("x.egg-info/PKG-INFO", OTHER)
    ),
    "PKG-INFO is huge": sdist(("PKG-INFO", OTHER + b" " * MAX_METADATA_SIZE), without=["PKG-INFO"]),
    "METADATA is packed by bzip2": wheel(method=zipfile.ZIP_BZIP2),
    "METADATA is packed by LZMA": wheel(method=zipfile.ZIP_LZMA),
    "METADATA is encrypted": wheel(flags=1),
}

READ = {
    "a wheel": make_wheel,
    "an sdist": make_sdist,
    "another spelling of the folder first": wheel(first=[("Sample-1.0.dist-info/METADATA", OTHER)]),
    "the same metadata twice": wheel(first=[(f"{INFO}/METADATA", metadata_of("sample", "1.0"))]),
    "metadata of another project first": wheel(first=[("other-9.9.dist-info/METADATA", OTHER)]),
    "a licence in another spelling of the folder first": wheel(first=[("Sample-1.0.dist-info/LICENSE", b"")]),
    "PKG-INFO in a folder of the top folder": sdist(("sample.egg-info/PKG-INFO", OTHER)),
}


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("case", UNREAD)
def test_unreadable_metadata_file_is_an_error(case, profile, tmp_path):
    findings = check_files([UNREAD[case](tmp_path)], ChecksConfig(profile=profile).policy())
    assert ("metadata-unreadable", Severity.ERROR) in {
        (finding.check, finding.severity) for finding in findings
    }


@pytest.mark.parametrize("case", UNREAD)
def test_uploads_do_not_read_metadata_that_checks_cannot_read(case, tmp_path):
    path = UNREAD[case](tmp_path)
    assert inspect(path).metadata is None
    assert read_core_metadata(path, path.name) is None


@pytest.mark.parametrize("case", READ)
def test_checks_and_uploads_read_the_same_metadata(case, tmp_path):
    path = READ[case](tmp_path)
    assert inspect(path).metadata == read_core_metadata(path, path.name)
    assert b"Name: sample\n" in inspect(path).metadata


def test_two_metadata_files_under_one_path_are_an_error(tmp_path):
    path = wheel(first=[(f"{INFO}/METADATA", OTHER)])(tmp_path)
    assert read_core_metadata(path, path.name) is None
    findings = check_files([path], ChecksConfig(profile=Profile.STORAGE).policy())
    assert ("zip-two-contents", Severity.ERROR) in {(finding.check, finding.severity) for finding in findings}
