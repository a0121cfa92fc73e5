"""The form of an upload says the same as twine's, whoever has read the metadata."""

from dataclasses import replace

import pytest
from twine.package import PackageFile
from twine.repository import Repository

from wheelrelay.backends.index.upload_form import form_fields
from wheelrelay.checks import inspect
from wheelrelay.errors import Rejected
from wheelrelay.testing import make_sdist, make_wheel, stage_path

RICH = {
    "Metadata-Version": "2.4",
    "Summary": "Räder für alle",
    "Description-Content-Type": "text/markdown",
    "Keywords": "wheels,relay,index",
    "Home-page": "https://example.org/",
    "Download-URL": "https://example.org/files",
    "Author": "Ada",
    "Author-email": "Ada <ada@example.org>",
    "Maintainer": "Grace",
    "Maintainer-email": "grace@example.org",
    "License-Expression": "BSD-3-Clause",
    "License-File": ["LICENSE", "licenses/NOTICE"],
    "Classifier": ["Programming Language :: Python", "Topic :: Utilities"],
    "Platform": ["linux", "win32"],
    "Supported-Platform": ["x86"],
    "Requires-Dist": ["numpy>=2", "scipy; extra == 'all'"],
    "Requires-Python": ">=3.9",
    "Requires-External": ["libfoo"],
    "Provides-Extra": ["all"],
    "Provides-Dist": ["old-name"],
    "Obsoletes-Dist": ["older-name"],
    "Project-URL": ["Source, https://example.org/src", "Docs, https://example.org/docs"],
    "Dynamic": ["classifier"],
}
OLD = {"Metadata-Version": "2.1", "License": "BSD", "License-File": ["LICENSE"], "Requires-Python": ">=3.8"}

SAMPLES = {
    "rich wheel": lambda folder: make_wheel(folder, metadata=RICH),
    "rich sdist": lambda folder: make_sdist(folder, metadata=RICH),
    "old wheel": lambda folder: make_wheel(folder, metadata=OLD),
    "bare wheel": lambda folder: make_wheel(folder),
    "bare sdist": lambda folder: make_sdist(folder),
    "name with an underscore": lambda folder: make_wheel(folder, name="Sample_pkg.x"),
    "build tag": lambda folder: make_wheel(folder, build="1abc", tag="cp312-cp312-win_amd64"),
    "compressed tags": lambda folder: make_wheel(folder, tag="py2.py3-none-any"),
}


@pytest.fixture(params=SAMPLES)
def path(request, tmp_path):
    return SAMPLES[request.param](tmp_path)


def as_twine_says(path):
    package = PackageFile.from_filename(str(path), None)
    package.blake2_256_digest = None
    return Repository._convert_metadata_to_list_of_tuples(package.metadata_dictionary())


def test_fields_are_those_of_twine(path):
    ours = [field for field in form_fields(stage_path(path)) if field != ("requires_python", "")]
    assert sorted(ours) == sorted(
        [(":action", "file_upload"), ("protocol_version", "1"), *as_twine_says(path)]
    )


def test_fields_are_the_same_after_inspection(path):
    staged = stage_path(path)
    looked_into = replace(staged, metadata=inspect(staged).metadata)
    assert looked_into.metadata
    assert form_fields(looked_into) == form_fields(staged)


def test_inspected_file_is_not_opened_again(tmp_path):
    staged = stage_path(make_wheel(tmp_path))
    looked_into = replace(staged, metadata=inspect(staged).metadata)
    staged.path.unlink()
    assert ("name", "sample") in form_fields(looked_into)


def test_unknown_field_is_not_sent(tmp_path):
    names = {name for name, _ in form_fields(stage_path(make_wheel(tmp_path, metadata={"Nonsense": "x"})))}
    assert "nonsense" not in names


def test_invalid_field_is_sent_unchanged(tmp_path):
    old = {"Metadata-Version": "2.0", "Requires-Python": ">=3.6.*", "License-Expression": "MIT"}
    fields = form_fields(stage_path(make_wheel(tmp_path, metadata=old)))
    sent = {("metadata_version", "2.0"), ("requires_python", ">=3.6.*"), ("license_expression", "MIT")}
    assert sent <= set(fields)


@pytest.mark.parametrize("field", ["Metadata-Version", "Name", "Version"])
def test_metadata_without_required_fields_is_refused(field, tmp_path):
    staged = stage_path(make_wheel(tmp_path, metadata={field: None}))
    with pytest.raises(Rejected, match=f"no valid {field}"):
        form_fields(staged)


def test_unreadable_metadata_is_not_read_again(tmp_path):
    staged = replace(stage_path(make_wheel(tmp_path)), metadata=b"")
    with pytest.raises(Rejected, match="missing or cannot be read"):
        form_fields(staged)


@pytest.mark.parametrize(("version", "sent"), [("2.4", False), ("2.5", True)])
def test_import_names_are_sent_from_metadata_version_2_5(version, sent, tmp_path):
    imports = {
        "Metadata-Version": version,
        "Import-Name": ["sample", "_sample"],
        "Import-Namespace": ["space"],
    }
    fields = form_fields(stage_path(make_wheel(tmp_path, metadata=imports)))
    found = [(name, value) for name, value in fields if name.startswith("import_")]
    expected = [("import_name", "sample"), ("import_name", "_sample"), ("import_namespace", "space")]
    assert sorted(found) == (expected[1::-1] + expected[2:] if sent else [])
