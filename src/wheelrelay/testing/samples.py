"""Write sample distributions: small, valid, installable and reproducible wheels and sdists.

Each argument changes one thing, so that a test can break a single rule:

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> with TemporaryDirectory() as folder:
...     make_wheel(Path(folder), "Foo.Bar", "1.0", "cp27-cp27m-macosx_10_6_intel.macosx_10_9_intel").name
'foo_bar-1.0-cp27-cp27m-macosx_10_6_intel.macosx_10_9_intel.whl'
"""

import gzip
import hashlib
import io
import json
import re
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

Fields = Mapping[str, str | Sequence[str] | None]
"""Header fields to set: one value, several, or ``None`` to leave the field out."""

Files = Mapping[str, bytes | None]
"""Members to add or replace; ``None`` leaves a member out."""

PYPROJECT = b"""\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

BACKEND = b'''\
"""Build the wheel of this sample with nothing but the standard library."""

import zipfile
from pathlib import Path


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    metadata = Path("PKG-INFO").read_bytes()
    fields = dict(line.split(": ", 1) for line in metadata.decode().split("\\n\\n")[0].splitlines())
    package = next(Path("src").iterdir())
    stem = f"{package.name}-{fields['Version']}"
    members = {f"{package.name}/{path.name}": path.read_bytes() for path in sorted(package.iterdir())}
    members[f"{stem}.dist-info/METADATA"] = metadata
    members[f"{stem}.dist-info/WHEEL"] = (
        b"Wheel-Version: 1.0\\nGenerator: sample\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    )
    record = f"{stem}.dist-info/RECORD"
    members[record] = "".join(f"{name},,\\n" for name in [*members, record]).encode()
    with zipfile.ZipFile(Path(wheel_directory, f"{stem}-py3-none-any.whl"), "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return f"{stem}-py3-none-any.whl"


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError
'''


def make_wheel(
    folder: Path,
    name: str = "sample",
    version: str = "1.0",
    tag: str = "py3-none-any",
    *,
    build: str = "",
    payload: bytes = b"",
    metadata: Fields | None = None,
    wheel: Fields | None = None,
    files: Files | None = None,
    unrecorded: Files | None = None,
    filename: str | None = None,
    compression: int = zipfile.ZIP_DEFLATED,
) -> Path:
    """Write a wheel (PEP 427) into ``folder``, and return its path.

    Args:
        folder: Where to write; created if it does not exist.
        name: Name of the project, in any spelling; the filename has the normalised one.
        version: Version, in METADATA and the filename.
        tag: ``python-abi-platform``; each part may be a compressed set, such as ``py2.py3-none-any``.
        build: Build tag; none if empty.
        payload: Content of a data file, to make a larger wheel.
        metadata: Fields of METADATA to set or leave out; ``Description`` is the body.
        wheel: Fields of WHEEL to set or leave out.
        files: Members to add or replace, by path in the wheel; RECORD lists them.
        unrecorded: Members to add or replace that RECORD does not take into account.
        filename: Another name for the file, with the same content.
        compression: Compression method of the members, a constant of `zipfile`.
    """
    members = wheel_members(name, version, tag, build=build, payload=payload, metadata=metadata, wheel=wheel)
    members = _changed(members, files)
    members[_record_path(name, version)] = record_of(members, _record_path(name, version))
    members = _changed(members, unrecorded)
    parts = [normalized(name), version, *([build] if build else []), tag]
    path = _path(folder, filename or "-".join(parts) + ".whl")
    write_zip(path, members, compression=compression)
    return path


def make_sdist(
    folder: Path,
    name: str = "sample",
    version: str = "1.0",
    *,
    payload: bytes = b"",
    metadata: Fields | None = None,
    files: Files | None = None,
    filename: str | None = None,
) -> Path:
    """Write an sdist (PEP 625) into ``folder``, and return its path.

    It contains its own build backend, so that it can be installed offline.

    Args:
        folder: Where to write; created if it does not exist.
        name: Name of the project, in any spelling; the filename has the normalised one.
        version: Version, in PKG-INFO and the filename.
        payload: Content of a data file, to make a larger sdist.
        metadata: Fields of PKG-INFO to set or leave out; ``Description`` is the body.
        files: Members to add or replace, by path below the top-level folder.
        filename: Another name for the file, with the same content.
    """
    stem = f"{normalized(name)}-{version}"
    members = _changed(sdist_members(name, version, payload=payload, metadata=metadata), files)
    path = _path(folder, filename or f"{stem}.tar.gz")
    write_tar_gz(path, {f"{stem}/{member}": content for member, content in members.items()})
    return path


def make_variants(
    folder: Path, name: str = "sample", version: str = "1.0", *, labels: Sequence[str] = ("null",)
) -> Path:
    """Write the list of a release's variants (PEP 825) into ``folder``, and return its path.

    Args:
        folder: Where to write; created if it does not exist.
        name: Name of the project, in any spelling; the filename has the normalised one.
        version: Version.
        labels: Labels of the variants; each except ``null`` has one property.
    """
    variants = {label: {} if label == "null" else {"sample": {"label": [label]}} for label in labels}
    document = {"default-priorities": {"namespace": ["sample"]}, "variants": variants}
    path = _path(folder, f"{normalized(name)}-{version}-variants.json")
    path.write_text(json.dumps(document))
    return path


def wheel_members(
    name: str,
    version: str,
    tag: str = "py3-none-any",
    *,
    build: str = "",
    payload: bytes = b"",
    metadata: Fields | None = None,
    wheel: Fields | None = None,
) -> dict[str, bytes]:
    """Return the members of a sample wheel except RECORD, by path; arguments as for `make_wheel`."""
    _, abi, platform = tag.split("-")
    headers: dict[str, str | Sequence[str] | None] = {
        "Wheel-Version": "1.0",
        "Generator": "wheelrelay-sample",
        "Root-Is-Purelib": "true" if (abi, platform) == ("none", "any") else "false",
        "Tag": expanded(tag),
        "Build": build or None,
    }
    dist_info = f"{normalized(name)}-{version}.dist-info"
    return {
        **_package(name, version, payload),
        f"{dist_info}/METADATA": metadata_of(name, version, metadata),
        f"{dist_info}/WHEEL": _fields(headers | dict(wheel or {})),
    }


def sdist_members(
    name: str, version: str, *, payload: bytes = b"", metadata: Fields | None = None
) -> dict[str, bytes]:
    """Return the members of a sample sdist, by path below its top-level folder; see `make_sdist`."""
    package = {f"src/{path}": content for path, content in _package(name, version, payload).items()}
    metadata = {"Metadata-Version": "2.2", **(metadata or {})}
    return {
        "PKG-INFO": metadata_of(name, version, metadata),
        "pyproject.toml": PYPROJECT,
        "backend.py": BACKEND,
        **package,
    }


def metadata_of(name: str, version: str, changes: Fields | None = None) -> bytes:
    """Return the core metadata of a sample, with fields set or left out; ``Description`` is the body."""
    fields: dict[str, str | Sequence[str] | None] = {
        "Metadata-Version": "2.1",
        "Name": name,
        "Version": version,
        "Summary": "A sample distribution",
        "Description-Content-Type": "text/plain",
        "Description": "A sample for tests.\n",
        **(changes or {}),
    }
    body = fields.pop("Description") or ""
    assert isinstance(body, str)
    return _fields(fields) + b"\n" + body.encode()


def record_of(members: Mapping[str, bytes], record_path: str) -> bytes:
    """Return the RECORD of a wheel: each member with sha256 and size, and RECORD itself without."""
    lines = [f"{_csv(path)},sha256={_digest(content)},{len(content)}\n" for path, content in members.items()]
    return "".join([*lines, f"{_csv(record_path)},,\n"]).encode()


def write_zip(path: Path, members: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> None:
    """Write a zip archive whose bytes depend only on the members."""
    with zipfile.ZipFile(path, "w", compression, compresslevel=1) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, compression, compresslevel=1)


def write_tar_gz(path: Path, members: Mapping[str, bytes | tarfile.TarInfo]) -> None:
    """Write a gzip-compressed tar archive whose bytes depend only on the members.

    Args:
        path: Where to write.
        members: Contents of regular files by path; a `tarfile.TarInfo` is written unchanged.
    """
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as compressed,
        tarfile.open(mode="w", fileobj=compressed, format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def normalized(name: str) -> str:
    """Return the name as in filenames: lower case, each run of ``-``, ``_`` and ``.`` as one ``_``."""
    return re.sub(r"[-_.]+", "_", name).lower()


def expanded(tag: str) -> list[str]:
    """Return the single tags of a compressed set."""
    return ["-".join(parts) for parts in product(*(part.split(".") for part in tag.split("-")))]


def _package(name: str, version: str, payload: bytes) -> dict[str, bytes]:
    package = normalized(name)
    files = {f"{package}/__init__.py": f'"""A sample."""\n\n__version__ = "{version}"\n'.encode()}
    return files | ({f"{package}/payload.bin": payload} if payload else {})


def _record_path(name: str, version: str) -> str:
    return f"{normalized(name)}-{version}.dist-info/RECORD"


def _changed(members: Mapping[str, bytes], changes: Files | None) -> dict[str, bytes]:
    both = {**members, **(changes or {})}
    return {path: content for path, content in both.items() if content is not None}


def _fields(fields: Fields) -> bytes:
    lines = []
    for key, value in fields.items():
        values = [value] if isinstance(value, str) else value or ()
        lines += [f"{key}: {text}\n" for text in values]
    return "".join(lines).encode()


def _digest(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _csv(path: str) -> str:
    return '"' + path.replace('"', '""') + '"' if re.search('[,"\n]', path) else path


def _path(folder: Path, filename: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / filename
