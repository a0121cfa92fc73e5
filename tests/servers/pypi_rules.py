"""PyPI's rules for the form and the file of an upload, as far as tests of publishing need them."""

import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version
from requests_toolbelt.multipart.decoder import MultipartDecoder
from trove_classifiers import classifiers

METADATA_VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5")
DIGESTS = {
    "md5_digest": lambda content: hashlib.md5(content).hexdigest(),
    "sha256_digest": lambda content: hashlib.sha256(content).hexdigest(),
    "blake2_256_digest": lambda content: hashlib.blake2b(content, digest_size=32).hexdigest(),
}
PLATFORM = re.compile(
    r"any|win32|win_(amd64|arm64|ia64)|(many|musl)linux_\d+_\d+_\w+|manylinux(1|2010|2014)_\w+"
    r"|linux_armv[67]l|macosx_10_\d+_\w+|macosx_(11|12|13|14|15|26)_0_\w+"
    r"|ios_\d+_\d+_\w+|android_\d+_\w+|pyemscripten_\d+_\d+_wasm32"
)
LABEL = re.compile(r'name="([^"]+)"(?:; filename="([^"]*)")?')


@dataclass(frozen=True, slots=True)
class Form:
    """The form of an upload.

    Attributes:
        fields: all values of each field.
        filename: the name of the uploaded file.
        content: the file.
    """

    fields: Mapping[str, list[str]]
    filename: str
    content: bytes

    def __getitem__(self, name: str) -> str:
        """Return the first value of a field; empty if it is missing."""
        return self.fields.get(name, [""])[0].strip()

    @property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()


def parse_form(content_type: str, body: bytes) -> Form:
    """Parse the multipart body of an upload."""
    fields: dict[str, list[str]] = {}
    filename, content = "", b""
    for part in MultipartDecoder(body, content_type).parts:
        label = LABEL.search(part.headers[b"Content-Disposition"].decode())
        assert label
        if label[2] is None:
            fields.setdefault(label[1], []).append(part.content.decode())
        elif label[1] == "content":
            filename, content = label[2], part.content
    return Form(fields, filename, content)


def problems_of(form: Form) -> Iterator[str]:
    """Return the reasons why PyPI would refuse the upload, in PyPI's order."""
    if (form[":action"], form["protocol_version"]) != ("file_upload", "1"):
        yield "Unknown protocol version."
    yield from _in_the_metadata(form)
    if form["filetype"] not in ("sdist", "bdist_wheel"):
        yield "Invalid value for filetype."
    if not form.content:
        yield "Upload payload does not have a file."
    yield from _in_the_filename(form)
    yield from _in_the_digests(form)
    if not _is_whole(form):
        yield "Invalid distribution file."


def _in_the_metadata(form: Form) -> Iterator[str]:
    if form["metadata_version"] not in METADATA_VERSIONS:
        yield f"{form['metadata_version']!r} is not a valid metadata version."
    try:
        if Version(form["version"]).local:
            yield f"The use of local versions in {form['version']!r} is not allowed."
    except InvalidVersion:
        yield f"{form['version']!r} is an invalid value for Version."
    if len(form["summary"]) > 512 or "\n" in form["summary"]:
        yield "'summary' is too long, or has several lines."
    if form["license"] and form["license_expression"]:
        yield "License and License-Expression exclude each other."
    for classifier in form.fields.get("classifiers", []):
        if classifier not in classifiers:
            yield f"{classifier!r} is not a valid classifier."
    for text in form.fields.get("requires_dist", []):
        if Requirement(text).url:
            yield f"Can't have direct dependency: {text!r}."


def _in_the_filename(form: Form) -> Iterator[str]:
    name = canonicalize_name(form["name"])
    if re.search(r"[\x00-\x1f\x7f/\\]", form.filename):
        yield "Cannot upload a file with control characters or a path in its name."
        return
    try:
        if form["filetype"] == "sdist":
            project, version = parse_sdist_filename(form.filename)
            wanted = form.filename == f"{name.replace('-', '_')}-{version}.tar.gz"
            pyversions: tuple[str, ...] = ("", "source")
        else:
            project, version, _, tags = parse_wheel_filename(form.filename)
            wanted = form.filename.startswith(f"{name.replace('-', '_')}-")
            pyversions = (form.filename.split("-")[-3],)
            for tag in tags:
                if not PLATFORM.fullmatch(tag.platform):
                    yield f"Binary wheel {form.filename!r} has an unsupported platform tag {tag.platform!r}."
    except (InvalidSdistFilename, InvalidWheelFilename) as error:
        yield f"Invalid filename: {error}."
        return
    if not wanted or project != name:
        yield f"Start filename for {form['name']!r} with {name.replace('-', '_')!r}."
    elif version != Version(form["version"]):
        yield f"Version in filename should be {form['version']!r} not {str(version)!r}."
    if form["pyversion"] not in pyversions:
        yield f"Invalid value for pyversion: {form['pyversion']!r}."


def _in_the_digests(form: Form) -> Iterator[str]:
    declared = {name: form[name] for name in DIGESTS if form[name]}
    if not declared:
        yield "Include at least one message digest."
    if any(DIGESTS[name](form.content) != digest.lower() for name, digest in declared.items()):
        yield "The digest supplied does not match a digest calculated from the uploaded file."


def _is_whole(form: Form) -> bool:
    stream = io.BytesIO(form.content)
    try:
        if form["filetype"] == "sdist":
            with tarfile.open(fileobj=stream, mode="r:gz") as archive:
                return any(name.endswith("/PKG-INFO") for name in archive.getnames())
        with zipfile.ZipFile(stream) as wheel:
            there = {name.rpartition("/")[2] for name in wheel.namelist() if ".dist-info/" in name}
            return wheel.testzip() is None and {"METADATA", "WHEEL", "RECORD"} <= there
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile):
        return False
