"""``receipt show`` and ``receipt merge`` as commands."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from jsonschema import validate

from wheelrelay import Delivery, Outcome, Receipt, ReceiptFile, Shard
from wheelrelay.documents import document_schema, receipt_document
from wheelrelay.json_text import to_json

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def write(here):
    """Write the receipt of a shard with one file, and return its name."""

    def write(shard, outcome="published", **changes):
        name = f"sample{shard.index}"
        deliveries = {"mirror": Delivery(Outcome(outcome))}
        file = ReceiptFile(f"{name}-1.0.tar.gz", name, "1.0", 3, "a" * 64, None, deliveries)
        receipt = Receipt("pypi", ("mirror",), "mirror", NOON, NOON, (file,), shards=(shard,))
        path = here / f"shard-{shard.index}.json"
        path.write_text(to_json(receipt_document(replace(receipt, **changes))))
        return path.name

    return write


def test_receipt_is_shown_as_table_and_as_json(wheelrelay, write):
    path = write(Shard(1, 2), "failed")
    ended = wheelrelay("receipt", "show", path)
    assert ended.code == 0
    assert "mirror: 1 failed." in ended.out
    shown = json.loads(wheelrelay("receipt", "show", path, "--json").out)
    validate(shown, document_schema("receipt"))
    assert shown["shards"] == ["1/2"]


def test_receipts_of_all_shards_are_merged(wheelrelay, write, here):
    paths = [write(Shard(number, 2)) for number in (1, 2)]
    ended = wheelrelay("receipt", "merge", *paths, "-o", "receipt.json")
    assert ended.code == 0
    assert "mirror: 2 published." in ended.out
    merged = json.loads((here / "receipt.json").read_text())
    assert merged["complete"]
    assert [file["project"] for file in merged["files"]] == ["sample1", "sample2"]


def test_missing_shard_is_an_incomplete_result(wheelrelay, write, here):
    ended = wheelrelay("receipt", "merge", write(Shard(2, 3)), "-o", "receipt.json")
    assert ended.code == 4
    assert "Missing receipts of shards: 1/3, 3/3." in ended.err
    assert (here / "receipt.json").is_file()


def test_failed_file_is_an_incomplete_result(wheelrelay, write):
    assert wheelrelay("receipt", "merge", write(Shard(1, 1), "failed"), "-o", "receipt.json").code == 4


def test_shards_that_selected_nothing_are_no_success(wheelrelay, write):
    ended = wheelrelay("receipt", "merge", write(Shard(1, 1), files=()), "-o", "receipt.json")
    assert ended.code == 4
    assert "nothing was selected" in ended.err


def test_receipts_of_other_routes_are_refused(wheelrelay, write, here):
    paths = [write(Shard(1, 2)), write(Shard(2, 2), source="testpypi")]
    ended = wheelrelay("receipt", "merge", *paths, "-o", "receipt.json")
    assert ended.code == 2
    assert "The receipts differ in their source: pypi and testpypi." in ended.err
    assert not (here / "receipt.json").exists()


def test_input_is_not_overwritten(wheelrelay, write, here):
    path = write(Shard(1, 1))
    before = (here / path).read_bytes()
    assert wheelrelay("receipt", "merge", path, "-o", path).code == 2
    assert (here / path).read_bytes() == before


def test_damaged_receipt_is_named(wheelrelay, here):
    (here / "receipt.json").write_text('{"source": "pypi"')
    ended = wheelrelay("receipt", "show", "receipt.json")
    assert ended.code == 2
    assert ended.err.count("receipt.json: This is not a complete receipt") == 1
