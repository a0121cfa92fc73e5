"""JSON documents have the shapes that scripts lean on."""

import json
import os

import pytest
from jsonschema import ValidationError, validate
from tests.unit.conftest import SDIST, WHEEL

from wheelrelay.documents import (
    document_schema,
    files_document,
    plan_document,
    receipt_document,
)
from wheelrelay.filenames import dist_file
from wheelrelay.json_text import to_json
from wheelrelay.model import Digests
from wheelrelay.version import DOCUMENTATION


def through_json(document):
    return json.loads(to_json(document))


def test_list_is_sorted_and_complete():
    files = [
        dist_file(SDIST),
        dist_file("sample-1.0-cp312-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
    ]
    document = through_json(files_document(files))
    validate(document, document_schema("list"))
    assert [file["filename"] for file in document] == sorted(file.filename for file in files)
    assert document[0]["tags"] == [
        "cp312-abi3-manylinux2014_x86_64",
        "cp312-abi3-manylinux_2_17_x86_64",
    ]
    assert document[1] == {
        "filename": SDIST,
        "project": "sample",
        "version": "1.0",
        "kind": "sdist",
        "tags": [],
        "size": None,
        "sha256": None,
        "url": None,
        "requires_python": None,
        "yanked": None,
        "upload_time": None,
        "companions": [],
        "build": {},
    }


def test_plan_matches_its_schema(plan):
    document = through_json(plan_document(plan))
    validate(document, document_schema("plan"))
    assert document["files"][1]["filename"] == WHEEL
    assert document["files"][1]["sinks"]["pypi"] == {"action": "skip", "reason": "the same bytes exist"}
    assert document["missing"] == ["cp313-*-win*"]
    assert document["unexpected"] == [WHEEL]
    assert document["findings"] == [
        {
            "check": "conflict",
            "severity": "error",
            "filename": SDIST,
            "message": "It is there.",
            "hint": "Build a new version.",
            "url": f"{DOCUMENTATION}reference/checks.html#conflict",
        }
    ]


def test_receipt_matches_its_schema(receipt):
    document = through_json(receipt_document(receipt))
    validate(document, document_schema("receipt"))
    assert document["complete"] is False
    assert document["started"] == "2026-11-23T12:00:00.000+00:00"
    assert document["finished"] == "2026-11-23T12:00:02.500+00:00"
    assert document["files"][0]["sinks"]["pypi"] == {
        "outcome": "published",
        "attempts": 1,
        "seconds": 0.123,
        "reason": None,
    }
    assert document["versions"] == {"wheelrelay": "1.0"}


def test_schema_refuses_unknown_values(receipt):
    document = through_json(receipt_document(receipt))
    document["files"][0]["sinks"]["pypi"]["outcome"] = "perhaps"
    with pytest.raises(ValidationError):
        validate(document, document_schema("receipt"))


def test_text_of_any_script_is_readable_and_other_characters_are_escaped():
    digests = Digests(sha256="ab" * 32)
    folder = os.fsdecode(b"/Wheels/\xff/") + "Räder"
    odd = dist_file(WHEEL, url=f"{folder}/{WHEEL}", digests=digests)
    text = to_json(files_document([odd]))
    assert "/Räder/" in text
    text.encode("utf-8")
    assert json.loads(text)[0]["url"] == odd.url
    assert text.endswith("]\n")
