"""For each rule of docs/pypi_rules.toml, a file that PyPI refuses and a similar one that it accepts."""

from collections.abc import Mapping

from tests.unit.checks.zip_builder import Zipped, field, unicode_path, zip64

from wheelrelay.archives.protected_code import PYARMOR_MARKERS, SOURCEDEFENDER_MARKERS
from wheelrelay.testing import broken_archives as archives
from wheelrelay.testing.broken import (
    BROKEN,
    INFO,
    PEP639,
    PLAIN,
    BrokenSample,
    fields,
    renamed,
    scripts,
    sdist,
    wheel,
)
from wheelrelay.testing.samples import make_sdist, sdist_members, write_tar_gz

PLAIN_ZIP = Zipped()
MARKED = SOURCEDEFENDER_MARKERS[0] + b"\n"


def zipped(broken: Zipped, repaired: Zipped = PLAIN_ZIP) -> BrokenSample:
    return BrokenSample(broken, repaired)


def pkg_info_alone(folder):
    folder.mkdir(parents=True, exist_ok=True)
    members = {"sample-1.0/PKG-INFO": sdist_members("sample", "1.0")["PKG-INFO"]}
    write_tar_gz(folder / "sample-1.0.tar.gz", members)
    return folder / "sample-1.0.tar.gz"


def pkg_info_and_another(folder):
    return make_sdist(folder, files={"backend.py": None})


def cut_off(folder):
    path = make_sdist(folder)
    path.write_bytes(path.read_bytes()[:-100])
    return path


def not_a_zip(folder):
    path = PLAIN(folder)
    path.write_bytes(b"This is not a zip archive.")
    return path


def sdist_and_zip(folder):
    path = make_sdist(folder)
    path.write_bytes(path.read_bytes() + PLAIN_ZIP.of({"a": b""}))
    return path


def entry_points(content: bytes) -> BrokenSample:
    path = f"{INFO}/entry_points.txt"
    return BrokenSample(
        wheel(files={path: content}), wheel(files={path: b"[console_scripts]\na = sample:main\n"})
    )


def record(content: bytes) -> BrokenSample:
    return BrokenSample(wheel(unrecorded={f"{INFO}/RECORD": content}), PLAIN)


def removed(name: str) -> BrokenSample:
    return BrokenSample(wheel(unrecorded={f"{INFO}/{name}": None}), PLAIN)


CASES: Mapping[str, BrokenSample] = {
    "filename-characters": BrokenSample(renamed(PLAIN, "sample-1.0-py3-none-\x7fany.whl"), PLAIN),
    "filename-separator": BrokenSample(renamed(PLAIN, "sample-1.0-py3-none-any\\.whl"), PLAIN),
    "filename-extension": BrokenSample(sdist(filename="sample-1.0.tgz"), sdist()),
    "sdist-and-zip": BrokenSample(sdist_and_zip, archives.sdist_with_trailing_data),
    "wheel-no-zip": BrokenSample(not_a_zip, PLAIN),
    "sdist-no-tar": BrokenSample(cut_off, archives.sdist_with_trailing_data),
    "sdist-pkg-info-alone": BrokenSample(pkg_info_alone, pkg_info_and_another),
    "sdist-without-pkg-info": BrokenSample(sdist(files={"PKG-INFO": None}), sdist()),
    "wheel-without-wheel-file": removed("WHEEL"),
    "wheel-without-metadata": removed("METADATA"),
    "record-missing": removed("RECORD"),
    "record-not-utf8": record(b"\xff,,\n"),
    "record-empty-line": record(b"sample/__init__.py,,\n\n"),
    "entry-points-not-utf8": entry_points(b"\xff"),
    "entry-points-syntax": entry_points(b"[console_scripts]\na: sample:main\n"),
    "entry-points-name": scripts("[console_scripts]\na/b = c:d\n", "[console_scripts]\na.b-c_d = c:d\n"),
    "description-empty": fields(
        {"Description-Content-Type": "text/markdown", "Description": "[link]: https://example.org\n"},
        {"Description-Content-Type": "text/markdown", "Description": "[link]\n\n[link]: https://example.org"},
    ),
    "sdist-version-spelling": BrokenSample(
        sdist(filename="sample-1.tar.gz"), sdist(filename="sample-1.tar.gz", metadata={"Version": "1"})
    ),
    "sdist-other-project": BrokenSample(sdist(filename="other-1.0.tar.gz"), sdist()),
    "sdist-license-file": BrokenSample(
        sdist(metadata={**PEP639, "License-File": "LICENSE"}),
        sdist(metadata={**PEP639, "License-File": "LICENSE"}, files={"LICENSE": b"Do."}),
    ),
    "wheel-filename": BrokenSample(renamed(PLAIN, "sample-1.0-any.whl"), PLAIN),
    "wheel-other-version": BrokenSample(
        wheel(metadata={"Version": "1.1"}), wheel(metadata={"Version": "1.0.0"})
    ),
    "wheel-other-project": fields({"Name": "simple"}, {"Name": "Sample"}),
    "wheel-name-normalized": BrokenSample(
        renamed(wheel(name="foo.bar"), "foo.bar-1.0-py3-none-any.whl"), wheel(name="foo.bar")
    ),
    "pyarmor-sdist": BrokenSample(
        sdist(files={"x.PY": PYARMOR_MARKERS[0] + b" b'')"}),
        sdist(files={"x.txt": PYARMOR_MARKERS[0] + b" b'')", "x.py": b"__pyarmor__(a, b)"}),
    ),
    "pyarmor-wheel": BrokenSample(
        wheel(files={"sample/x.pye": b"x" * ((5 << 20) - 16) + PYARMOR_MARKERS[2]}),
        wheel(files={"sample/x.pye": b"x" * ((5 << 20) - 15) + PYARMOR_MARKERS[2]}),
    ),
    "sourcedefender": BrokenSample(
        wheel(files={"sample/x.pye": MARKED + SOURCEDEFENDER_MARKERS[1]}),
        wheel(files={"sample/x.pye": MARKED}),
    ),
    "local-name-control": BrokenSample(
        wheel(files={"sample/a\x01": b""}), wheel(files={"sample/a\u0085": b""})
    ),
    "local-extra-rest": zipped(Zipped(extra=b"abc"), Zipped(extra=field(0x5455, b"\1\0\0\0\0"))),
    "local-extra-overrun": zipped(Zipped(extra=field(0x5455, b"x", length=20))),
    "local-extra-zip64-twice": zipped(Zipped(extra=field(1, b"") * 2), Zipped(extra=field(1, b""))),
    "local-extra-path-twice": zipped(Zipped(extra=unicode_path(b"a") * 2), Zipped(extra=unicode_path(b"a"))),
    "local-zip64-length": zipped(Zipped(extra=field(1, bytes(12))), Zipped(extra=zip64(100, 100, 0))),
    "local-zip64-empty": zipped(
        Zipped(extra=field(1, b""), local_size=0xFFFFFFFF),
        Zipped(extra=zip64(100, 100), local_size=0xFFFFFFFF),
    ),
    "local-zip64-half": zipped(Zipped(extra=zip64(100), deflated=True), Zipped(extra=zip64(100))),
    "local-zip64-other-size": zipped(Zipped(extra=zip64(100, 5)), Zipped(extra=zip64(5, 100))),
    "local-path-control": zipped(Zipped(extra=unicode_path(b"\n")), Zipped(extra=unicode_path(b" "))),
    "local-path-not-utf8": zipped(
        Zipped(extra=unicode_path(b"\xff")), Zipped(extra=unicode_path("ü".encode()))
    ),
    "local-name-not-utf8": zipped(Zipped(local_name=b"\xff")),
    "local-name-other": zipped(Zipped(local_name=b"sample/__exit__.py")),
    "local-packed-size": zipped(Zipped(local_packed=99)),
    "local-size": zipped(Zipped(local_size=99)),
    "end-two-counts": zipped(Zipped(counts=(3, 4))),
    "end-count": zipped(Zipped(count=3)),
    "end-count-ffff": zipped(Zipped(count=0xFFFF), Zipped(count=0xFFFF, end64={})),
    "end64-two-counts": zipped(Zipped(end64={"disk_count": 2}), Zipped(end64={})),
    "end64-size": zipped(Zipped(end64={"own_size": 45}), Zipped(end64={"own_size": 44})),
    "end64-no-locator": zipped(Zipped(end64={}, locator=False), Zipped(end64={})),
    "end64-count": zipped(Zipped(end64={"disk_count": 2, "count": 2}), Zipped(end64={})),
    "end-comment-length": zipped(Zipped(comment_length=9)),
    "central-name-overrun": zipped(Zipped(central_lengths=(1, 0))),
    "central-extra-overrun": zipped(Zipped(central_lengths=(0, 1))),
    "unknown-record": zipped(Zipped(between=b"between")),
    "leading-data": BrokenSample(archives.wheel_with_leading_data, PLAIN),
    "maintainer-email": fields(
        {"Maintainer-email": "Ann <a@exa_mple.org>"}, {"Maintainer-email": "Ann <a_b@example.org>"}
    ),
    "author-email": fields({"Author-email": "a@ab--cd.org"}, {"Author-email": f"{'a' * 65}@ab-cd.org"}),
    "download-url": fields({"Download-URL": "ftp://example.org"}, {"Download-URL": "http://example.org"}),
    "project-url": fields({"Project-URL": "Home, example"}, {"Project-URL": "Home, https://example.org"}),
    "project-url-label-twice": fields(
        {"Project-URL": ["Home, https://example.org", "Home, https://example.com"]},
        {"Project-URL": ["Home, https://example.org", "home, https://example.com"]},
    ),
    "provides-dist": fields({"Provides-Dist": "a b"}, {"Provides-Dist": "a (>1)"}),
    "provides-dist-url": fields({"Provides-Dist": "a @ https://example.org/a"}, {"Provides-Dist": "a"}),
    "obsoletes-dist-url": fields({"Obsoletes-Dist": "a @ https://example.org/a"}, {"Obsoletes-Dist": "a"}),
    "dynamic": fields(
        {"Metadata-Version": "2.2", "Dynamic": "Foo"}, {"Metadata-Version": "2.2", "Dynamic": "Keywords"}
    ),
    "charset": fields(
        {"Description-Content-Type": "text/plain; charset=utf-8"},
        {"Description-Content-Type": "text/plain; charset=UTF-8"},
    ),
    "content-type": fields(
        {"Description-Content-Type": "text/html"}, {"Description-Content-Type": "text/plain"}
    ),
    "requires-python": fields({"Requires-Python": ">=3.6.*"}, {"Requires-Python": "!=3.6.*"}),
    "license-expression": fields(
        {**PEP639, "License-Expression": "Foo"}, {**PEP639, "License-Expression": "LicenseRef-Foo"}
    ),
    "license-file-path": BrokenSample(
        sdist(metadata={**PEP639, "License-File": "../LICENSE"}),
        sdist(metadata={**PEP639, "License-File": "LICENSE"}, files={"LICENSE": b"Do."}),
    ),
    "name-invalid": fields({"Name": "sample-"}, {"Name": "Sample"}),
    "version-invalid": fields({"Version": "one"}, {"Version": "1.0.0"}),
}


def case(rule: str, check: str) -> BrokenSample:
    """Return the case of a rule, or else the sample of its check."""
    return CASES.get(rule) or BROKEN[check]
