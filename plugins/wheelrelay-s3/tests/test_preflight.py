"""A preflight of a bucket finds wrong keys, and compares the clocks, before anything is written."""

import wheelrelay
from wheelrelay import Remote, Route, Verdict


def preflight(config):
    """Return the verdicts by check."""
    route = Route(source="./missing", sinks=[Remote("bucket", config)])
    report = wheelrelay.preflight(route, ["sample==1.0"])
    return {item.check: item.verdict for item in report.items}


def test_bucket_can_be_read_and_only_an_upload_shows_more(seaweed, configured):
    verdicts = preflight(configured(seaweed))
    assert verdicts["project"] is verdicts["version"] is verdicts["clock"] is Verdict.PASS
    assert verdicts["credentials"] is Verdict.UNKNOWN


def test_wrong_key_fails(seaweed, configured, monkeypatch):
    config = configured(seaweed)
    monkeypatch.setenv("SECRET_OF_S3", "wrong")
    assert preflight(config)["project"] is Verdict.FAIL


def test_bucket_that_does_not_exist_fails(seaweed, configured):
    assert preflight(configured(seaweed, bucket="no-such-bucket"))["project"] is Verdict.FAIL
