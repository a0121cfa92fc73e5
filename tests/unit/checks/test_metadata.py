"""Core metadata: fields, addresses, requirements, descriptions, classifiers and licence files."""

import pytest

from wheelrelay.checks import open_distribution
from wheelrelay.checks.metadata import is_email_address, is_web_url
from wheelrelay.testing.samples import make_sdist, make_wheel

RST = {"Description-Content-Type": "text/x-rst"}
MARKDOWN = {"Description-Content-Type": "text/markdown; charset=UTF-8; variant=GFM"}


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"])
def test_all_versions_that_pypi_knows_are_taken(version, tmp_path, found):
    metadata = {"Metadata-Version": version}
    if version < "2.1":
        metadata["Description-Content-Type"] = None
    assert found(make_wheel(tmp_path, metadata=metadata)) == set()


@pytest.mark.parametrize("version", ["3.0", "2.0", "new"])
def test_a_version_that_nobody_knows_is_no_valid_field(version, tmp_path, found):
    assert found(make_wheel(tmp_path, metadata={"Metadata-Version": version})) == {"metadata-field"}


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
def test_a_field_that_the_specification_does_not_allow_is_found(metadata, tmp_path, found):
    assert found(make_wheel(tmp_path, metadata=metadata)) == {"metadata-field"}


@pytest.mark.parametrize(
    "metadata", [{"Metadata-Version": None}, {"Version": None}, {"Name": "-x-"}, {"Version": "one"}]
)
def test_without_name_version_or_metadata_version_nothing_is_right(metadata, tmp_path, found):
    assert "metadata-required" in found(make_wheel(tmp_path, metadata=metadata))


def test_unknown_is_what_old_tools_write_for_nothing(tmp_path, found):
    metadata = {
        "Home-page": "UNKNOWN",
        "Author-email": "UNKNOWN",
        "License": "UNKNOWN",
        "Platform": "UNKNOWN",
    }
    assert found(make_wheel(tmp_path, metadata=metadata)) == set()


def test_the_early_license_file_field_of_setuptools_is_passed_over(tmp_path, found):
    path = make_wheel(tmp_path, metadata={"Metadata-Version": "2.1", "License-File": "LICENSE"})
    assert found(path) == set()
    assert open_distribution(path).metadata.raw.get("license_files") is None


def test_metadata_of_an_sdist_are_checked_too(tmp_path, found):
    assert found(make_sdist(tmp_path, metadata={"Summary": "x" * 513})) == {"metadata-summary"}


def test_metadata_beyond_ascii_are_read(tmp_path, findings):
    assert findings(make_wheel(tmp_path, metadata={"Author": "Zoë", "Summary": "Größe"})) == []


@pytest.mark.parametrize("field", ["Author-email", "Maintainer-email"])
def test_the_first_of_several_addresses_counts_as_it_does_at_pypi(field, tmp_path, found):
    right, wrong = "Ann <ann@example.org>, who", "who <ann@>, Ann <ann@example.org>"
    assert found(make_wheel(tmp_path, metadata={field: right})) == set()
    assert found(make_wheel(tmp_path, metadata={field: wrong})) <= {"metadata-email"}


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
def test_an_address_is_one_that_mail_can_be_sent_to(address, deliverable):
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
def test_a_web_address_is_http_or_https(url, valid):
    assert is_web_url(url) is valid


def test_project_urls_need_a_label_and_an_address(tmp_path, found):
    assert found(make_wheel(tmp_path, metadata={"Project-URL": ", https://example.org"})) == {
        "metadata-url-label"
    }
    assert found(make_wheel(tmp_path, metadata={"Project-URL": "Home"})) == {"metadata-url"}


@pytest.mark.parametrize("field", ["Requires-Dist", "Provides-Dist", "Obsoletes-Dist"])
def test_no_requirement_may_name_an_address(field, tmp_path, found):
    metadata = {field: "other @ git+https://example.org/other.git"}
    assert found(make_wheel(tmp_path, metadata=metadata)) == {"metadata-direct-url"}


def test_a_description_that_does_not_render_tells_the_line(tmp_path, findings):
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
def test_descriptions_that_render_are_taken(metadata, tmp_path, found):
    assert found(make_wheel(tmp_path, metadata=metadata)) == set()


def test_a_description_without_content_type_is_restructuredtext(tmp_path, found):
    metadata = {"Description-Content-Type": None, "Description": "Title\n==\n\n.. unknown::\n"}
    assert found(make_wheel(tmp_path, metadata=metadata)) == {"metadata-description"}


def test_blank_markdown_does_not_render(tmp_path, found):
    assert found(make_wheel(tmp_path, metadata={**MARKDOWN, "Description": " \n"})) == {
        "metadata-description"
    }


def test_a_deprecated_classifier_comes_with_what_to_use_instead(tmp_path, findings):
    (finding,) = findings(make_wheel(tmp_path, metadata={"Classifier": "Natural Language :: Ukranian"}))
    assert "Natural Language :: Ukrainian" in finding.hint


def test_private_projects_are_not_said_to_have_an_unknown_classifier(tmp_path, found):
    metadata = {"Classifier": ["Private :: Do Not Upload", "Programming Language :: Python :: 3"]}
    assert found(make_wheel(tmp_path, metadata=metadata)) == {"classifier-private"}


def test_license_files_of_an_sdist_lie_under_its_top_folder(tmp_path, found):
    metadata = {"Metadata-Version": "2.4", "License-File": ["LICENSE", "src/NOTICE"]}
    assert found(make_sdist(tmp_path, metadata=metadata, files={"LICENSE": b""})) == {"license-file"}
    both = {"LICENSE": b"", "src/NOTICE": b""}
    assert found(make_sdist(tmp_path, metadata=metadata, files=both)) == set()


def test_metadata_of_nonsense_bytes_are_findings(tmp_path, found):
    path = make_wheel(tmp_path, files={"sample-1.0.dist-info/METADATA": b"\xff\xfe\x00" * 100})
    assert "metadata-required" in found(path)


@pytest.mark.parametrize("field", ["Home-page", "Download-URL", "Classifier", "Provides-Dist", "License"])
def test_an_empty_field_counts_as_absent_as_it_does_for_pypi(field, tmp_path, found):
    assert found(make_wheel(tmp_path, metadata={field: ""})) == set()


def test_an_empty_value_among_others_does_not(tmp_path, found):
    classifiers = ["Topic :: Utilities", ""]
    assert found(make_wheel(tmp_path, metadata={"Classifier": classifiers})) == {"classifier-unknown"}
