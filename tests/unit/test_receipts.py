"""Receipts are read back, and those of several relays merge into one."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

import wheelrelay
from wheelrelay import ConfigError, Delivery, Finding, Outcome, Receipt, ReceiptFile, Severity, Shard
from wheelrelay.documents import parse_receipt, receipt_document
from wheelrelay.json_text import to_json
from wheelrelay.records import RECEIPT_CONFLICT
from wheelrelay.testing import make_wheel

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BEST_FIRST = ["published", "skipped", "unconfirmed", "failed", "pending"]


def file(name, *outcomes, sha256="a" * 64):
    deliveries = {f"sink-{number}": Delivery(Outcome(outcome)) for number, outcome in enumerate(outcomes)}
    return ReceiptFile(
        f"{name}-1.0.tar.gz", name, "1.0", 3, sha256, f"https://example.org/{name}", deliveries
    )


def receipt(*files, minutes=0, sinks=1, **others):
    began = NOON + timedelta(minutes=minutes)
    values = {"source": "pypi", "mode": "mirror", "versions": {"wheelrelay": "1.0"}, **others}
    names = tuple(f"sink-{number}" for number in range(sinks))
    return Receipt(sinks=names, started=began, finished=began + timedelta(seconds=2), files=files, **values)


class TestReading:
    def test_document_is_read_back_exactly(self, receipt, tmp_path):
        path = tmp_path / "receipt.json"
        path.write_text(to_json(receipt_document(replace(receipt, shards=(Shard(1, 2),)))))
        read = wheelrelay.read_receipt(path)
        assert to_json(receipt_document(read)) == path.read_text()
        assert read.shards == (Shard(1, 2),)
        assert read.files[0].sinks["pypi"] == Delivery(Outcome.PUBLISHED, 1, 0.123)
        assert read.findings == receipt.findings

    def test_receipt_of_a_relay_is_read_back(self, tmp_path):
        make_wheel(tmp_path / "dist")
        route = wheelrelay.Route(source=str(tmp_path / "dist"), sinks=[str(tmp_path / "wheelhouse")])
        returned = wheelrelay.relay(route, receipt=tmp_path / "receipt.json")
        read = wheelrelay.read_receipt(str(tmp_path / "receipt.json"))
        assert read.is_complete
        assert [file.sha256 for file in read.files] == [file.sha256 for file in returned.files]
        assert read.versions == returned.versions

    def test_later_format_is_named(self, receipt):
        document = {**receipt_document(receipt), "format": 2, "sinks": None}
        with pytest.raises(
            ConfigError, match=r"^A later version of wheelrelay wrote this receipt \(format 2\)"
        ):
            parse_receipt(json.dumps(document))

    def test_keys_that_are_added_later_are_ignored(self, receipt):
        document = {**receipt_document(receipt), "added": 1}
        assert receipt_document(parse_receipt(json.dumps(document))) == receipt_document(receipt)

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ({"source": None}, "source"),
            ({"started": "yesterday"}, "yesterday"),
            ({"shards": ["3/2"]}, "3/2"),
            ({"sinks": ["pypi", "other"]}, "sample-1.0-1-py3-none-any.whl"),
            ({"files": [{}]}, r"files\.0\.filename"),
        ],
    )
    def test_damaged_documents_give_one_sentence(self, receipt, change, problem):
        with pytest.raises(ConfigError, match=problem) as caught:
            parse_receipt(json.dumps({**receipt_document(receipt), **change}))
        assert caught.value.message.startswith("This is not a complete receipt: ")
        assert "\n" not in caught.value.message

    @pytest.mark.parametrize("text", ["", "{", "[]", "3", '"', "\x00", "[" * 100_000, b"\xff\xfe"])
    def test_other_files_are_not_receipts(self, text):
        with pytest.raises(ConfigError, match="not a complete receipt"):
            parse_receipt(text)

    def test_error_names_the_file(self, tmp_path):
        path = tmp_path / "receipt.json"
        with pytest.raises(ConfigError, match="cannot be read"):
            wheelrelay.read_receipt(path)
        path.write_text("{")
        with pytest.raises(ConfigError) as caught:
            wheelrelay.read_receipt(path)
        assert str(caught.value).startswith(f"{path}: This is not a complete receipt")


class TestMerging:
    def test_files_of_all_receipts_are_in_the_result(self):
        merged = Receipt.merged([receipt(file("b", "published")), receipt(file("a", "skipped"))])
        assert [entry.project for entry in merged.files] == ["a", "b"]
        assert merged.is_complete

    @pytest.mark.parametrize("first", BEST_FIRST)
    @pytest.mark.parametrize("second", BEST_FIRST)
    def test_better_outcome_counts_at_each_sink(self, first, second):
        earlier = receipt(file("a", first, second), sinks=2)
        later = receipt(file("a", second, first), sinks=2, minutes=1)
        best = min(first, second, key=BEST_FIRST.index)
        merged = Receipt.merged([earlier, later])
        assert [delivery.outcome.value for delivery in merged.files[0].sinks.values()] == [best, best]

    def test_digest_is_known_if_one_receipt_has_it(self):
        without, with_digest = file("a", "pending", sha256=None), file("a", "published")
        for order in permutations([receipt(without), receipt(with_digest, minutes=1)]):
            assert Receipt.merged(order).files == (with_digest,)

    def test_conflict_is_named_and_the_last_relay_counts(self):
        earlier = receipt(file("a", "published", sha256="b" * 64))
        later = receipt(file("a", "failed"), minutes=1)
        for order in permutations([earlier, later]):
            merged = Receipt.merged(order)
            assert merged.files == (file("a", "failed"),)
            (finding,) = merged.findings
            assert (finding.check, finding.filename) == (RECEIPT_CONFLICT, "a-1.0.tar.gz")
            assert "bbbbbbbbbbbb... and aaaaaaaaaaaa..." in finding.message

    def test_times_findings_versions_and_shards_are_united(self):
        findings = [Finding("metadata", Severity.WARNING, text) for text in ("a", "b", "c")]
        first = receipt(findings=tuple(findings[:2]), shards=(Shard(2, 3),))
        second = receipt(
            minutes=1,
            findings=tuple(findings[1:]),
            shards=(Shard(1, 3),),
            versions={"wheelrelay": "1.1", "wheelrelay-s3": "1.0"},
        )
        merged = Receipt.merged([second, first])
        assert (merged.started, merged.finished) == (first.started, second.finished)
        assert merged.findings == tuple(findings)
        assert merged.versions == {"wheelrelay": "1.0, 1.1", "wheelrelay-s3": "1.0"}
        assert merged.shards == (Shard(1, 3), Shard(2, 3))
        assert merged.missing_shards == (Shard(3, 3),)

    def test_merging_in_steps_or_twice_gives_the_same(self):
        parts = [receipt(file(name, "published"), minutes=number) for number, name in enumerate("abc")]
        whole = Receipt.merged(parts)
        assert Receipt.merged([Receipt.merged(parts[1:]), parts[0]]) == whole
        assert Receipt.merged([whole, *parts]) == whole
        assert Receipt.merged(iter([parts[0]])) == parts[0]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"source": "testpypi"}, "source: pypi and testpypi"),
            ({"mode": "release"}, "mode: mirror and release"),
            ({"sinks": 2}, "sinks: sink-0 and sink-0, sink-1"),
            ({"shards": (Shard(1, 3),)}, "number of shards: 2 and 3"),
        ],
    )
    def test_receipts_of_other_relays_are_refused(self, change, message):
        with pytest.raises(ConfigError, match=message):
            Receipt.merged([receipt(shards=(Shard(1, 2),)), receipt(**change)])

    def test_no_receipts_are_refused(self):
        with pytest.raises(ConfigError, match="no receipts"):
            Receipt.merged([])

    def test_projects_are_those_that_a_sink_may_have(self):
        merged = receipt(*(file(outcome, outcome) for outcome in BEST_FIRST))
        assert merged.projects("sink-0") == ("published", "skipped", "unconfirmed")
