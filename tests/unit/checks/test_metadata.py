"""Core metadata: fields, addresses, requirements, descriptions, classifiers and license files."""

import pytest

from wheelrelay.checks import open_distribution
from wheelrelay.checks.metadata import is_email_address, is_web_url
from wheelrelay.testing.samples import make_sdist, make_wheel

RST = {"Description-Content-Type": "text/x-rst"}
MARKDOWN = {"Description-Content-Type": "text/markdown; charset=UTF-8; variant=GFM"}


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"])
def test_accepts_every_metadata_version_of_pypi(version, tmp_path, check_ids):
    metadata = {"Metadata-Version": version}
    if version < "2.1":
        metadata["Description-Content-Type"] = None
    assert check_ids(make_wheel(tmp_path, metadata=metadata)) == set()


@pytest.mark.parametrize("version", ["3.0", "2.0", "new"])
def test_unknown_metadata_version_is_an_invalid_field(version, tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, metadata={"Metadata-Version": version})) == {"metadata-field"}


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param({"Cheese": "Gouda"}, id="unknown"),
        pytest.param({"Summary": ["One", "Two"]}, id="repeated"),
        pytest.param({"License-Expression": "MIT"}, id="newer than the version"),
        pytest.param({"Metadata-Version": "2.4", "License-Expression": "Any old"}, id="no SPDX expression"),
        pytest.param({"Requires-Dist": "what is this?"}, id="no requirement"),
        pytest.param({"Provides-Dist": "what is this?"}, id="provides no requirement"),
        pytest.param({"Summary": "One\n        two"}, id="two lines"),
        pytest.param({"Description-Content-Type": "text/html"}, id="unknown content type"),
        pytest.param({"Metadata-Version": "2.2", "Dynamic": "Version"}, id="dynamic version"),
    ],
)
def test_reports_fields_that_violate_the_specification(metadata, tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, metadata=metadata)) == {"metadata-field"}


@pytest.mark.parametrize(
    "metadata", [{"Metadata-Version": None}, {"Version": None}, {"Name": "-x-"}, {"Version": "one"}]
)
def test_name_version_and_metadata_version_are_required(metadata, tmp_path, check_ids):
    assert "metadata-required" in check_ids(make_wheel(tmp_path, metadata=metadata))


def test_message_names_a_missing_field(tmp_path, findings):
    (finding,) = findings(make_wheel(tmp_path, metadata={"Metadata-Version": None}))
    assert finding.message == "Metadata-Version is missing."


def test_value_unknown_counts_as_missing(tmp_path, check_ids):
    metadata = {
        "Home-page": "UNKNOWN",
        "Author-email": "UNKNOWN",
        "License": "UNKNOWN",
        "Platform": "UNKNOWN",
    }
    assert check_ids(make_wheel(tmp_path, metadata=metadata)) == set()


def test_ignores_license_file_before_metadata_2_4(tmp_path, check_ids):
    path = make_wheel(tmp_path, metadata={"Metadata-Version": "2.1", "License-File": "LICENSE"})
    assert check_ids(path) == set()
    assert open_distribution(path).metadata.raw.get("license_files") is None


def test_checks_metadata_of_sdists(tmp_path, check_ids):
    assert check_ids(make_sdist(tmp_path, metadata={"Summary": "x" * 513})) == {"metadata-summary"}


def test_accepts_non_ascii_metadata(tmp_path, findings):
    assert findings(make_wheel(tmp_path, metadata={"Author": "Zoë", "Summary": "Größe"})) == []


@pytest.mark.parametrize("field", ["Author-email", "Maintainer-email"])
def test_only_the_first_email_address_is_checked(field, tmp_path, check_ids):
    right, wrong = "Ann <ann@example.org>, who", "who <ann@>, Ann <ann@example.org>"
    assert check_ids(make_wheel(tmp_path, metadata={field: right})) == set()
    assert check_ids(make_wheel(tmp_path, metadata={field: wrong})) <= {"metadata-email"}


@pytest.mark.parametrize(
    ("address", "deliverable"),
    [
        ("ann@example.org", True),
        ("a.b+c_d@sub.example-site.co.uk", True),
        ("jörg@bücher.example", True),
        ("ann", False),
        ("@example.org", False),
        ("ann@", False),
        ("ann@example", False),
        ("ann@host.local", False),
        ("a..b@example.org", False),
        (".a@example.org", False),
        ("ann@-example.org", False),
        ("ann@exa mple.org", False),
        ("ann@example.123", False),
        ("x" * 65 + "@example.org", True),
        ("ann@exa_mple.org", False),
        ("ann@ab--cd.org", False),
        ("ann@1.2.3.4", False),
        ("ann@" + "b" * 64 + ".org", False),
        ("ann@xn--a.org", False),
        ("\u2603@example.org", True),
        ("ann@exa\u3002org", True),
        ("ann@e\u0301xample.org", True),
        ("ann@" + "x" * 250 + ".org", False),
        ('"ann"@example.org', False),
    ],
)
def test_email_addresses_are_validated_like_at_pypi(address, deliverable):
    assert is_email_address(address) is deliverable


@pytest.mark.parametrize(
    ("url", "valid"),
    [
        ("https://example.org", True),
        ("http://example.org:8080/a%20b?q=1#f", True),
        ("HTTPS://EXAMPLE.ORG", True),
        ("https://github.com/a/b/tree/main/docs", True),
        ("example.org", False),
        ("ftp://example.org", False),
        ("git+https://example.org/x.git", False),
        ("mailto:ann@example.org", False),
        ("https://example.org/?q=[1]", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_web_urls_are_http_or_https(url, valid):
    assert is_web_url(url) is valid


def test_project_url_needs_a_label_and_a_url(tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, metadata={"Project-URL": ", https://example.org"})) == {
        "metadata-url-label"
    }
    assert check_ids(make_wheel(tmp_path, metadata={"Project-URL": "Home"})) == {"metadata-url"}


@pytest.mark.parametrize("field", ["Requires-Dist", "Provides-Dist", "Obsoletes-Dist"])
def test_refuses_requirements_with_direct_urls(field, tmp_path, check_ids):
    metadata = {field: "other @ git+https://example.org/other.git"}
    assert check_ids(make_wheel(tmp_path, metadata=metadata)) == {"metadata-direct-url"}


def test_message_about_description_has_the_line(tmp_path, findings):
    (finding,) = findings(make_wheel(tmp_path, metadata={**RST, "Description": "Fine.\n\n`unclosed <x\n"}))
    assert finding.check == "metadata-description"
    assert "line 3" in finding.message


@pytest.mark.parametrize(
    "metadata",
    [
        {**RST, "Description": "Title\n=====\n\n* one\n* two\n\n.. code-block:: python\n\n    import x\n"},
        {**MARKDOWN, "Description": "# Title\n\n`unclosed <x\n"},
        {"Description-Content-Type": "text/plain", "Description": "`unclosed <x\n"},
        {"Description-Content-Type": None, "Description": "Plain words.\n"},
        {"Description-Content-Type": None, "Description": ""},
    ],
)
def test_accepts_descriptions_that_render(metadata, tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, metadata=metadata)) == set()


def test_description_without_content_type_is_restructuredtext(tmp_path, check_ids):
    metadata = {"Description-Content-Type": None, "Description": "Title\n==\n\n.. unknown::\n"}
    assert check_ids(make_wheel(tmp_path, metadata=metadata)) == {"metadata-description"}


def test_refuses_markdown_that_renders_to_nothing(tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, metadata={**MARKDOWN, "Description": " \n"})) == {
        "metadata-description"
    }


def test_hint_about_deprecated_classifier_has_its_replacement(tmp_path, findings):
    (finding,) = findings(make_wheel(tmp_path, metadata={"Classifier": "Natural Language :: Ukranian"}))
    assert "Natural Language :: Ukrainian" in finding.hint


def test_private_classifier_is_not_reported_as_unknown(tmp_path, check_ids):
    metadata = {"Classifier": ["Private :: Do Not Upload", "Programming Language :: Python :: 3"]}
    assert check_ids(make_wheel(tmp_path, metadata=metadata)) == {"classifier-private"}


def test_license_files_of_an_sdist_are_in_its_top_folder(tmp_path, check_ids):
    metadata = {"Metadata-Version": "2.4", "License-File": ["LICENSE", "src/NOTICE"]}
    assert check_ids(make_sdist(tmp_path, metadata=metadata, files={"LICENSE": b""})) == {"license-file"}
    both = {"LICENSE": b"", "src/NOTICE": b""}
    assert check_ids(make_sdist(tmp_path, metadata=metadata, files=both)) == set()


def test_reports_metadata_of_random_bytes(tmp_path, check_ids):
    path = make_wheel(tmp_path, files={"sample-1.0.dist-info/METADATA": b"\xff\xfe\x00" * 100})
    assert "metadata-required" in check_ids(path)


@pytest.mark.parametrize("field", ["Home-page", "Download-URL", "Classifier", "Provides-Dist", "License"])
def test_empty_field_counts_as_missing(field, tmp_path, check_ids):
    assert check_ids(make_wheel(tmp_path, metadata={field: ""})) == set()


def test_empty_value_among_others_is_checked(tmp_path, check_ids):
    classifiers = ["Topic :: Utilities", ""]
    assert check_ids(make_wheel(tmp_path, metadata={"Classifier": classifiers})) == {"classifier-unknown"}
