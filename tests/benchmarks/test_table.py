"""The table says who was compared with whom, and whether that is good enough."""

from tests.benchmarks.measure import Measured
from tests.benchmarks.table import FLOOR, OURS, Result, Row, as_document, as_text, compared, seconds, spreads

RUNS = {OURS: [1.0, 9.0, 2.0], "one": [3.0, 4.0, 5.0], "other": [8.0, 2.5, 2.0], "rest": [0.1]}


def test_medians_are_compared_and_the_best_of_the_peers_counts():
    row = compared("P2", "work", 0.5, RUNS, ["one", "other"])
    assert (row.ours, row.peer, row.theirs) == (2.0, "other", 2.5)
    assert row.ratio == 0.8
    assert not row.met


def test_a_limit_without_a_peer_is_held_against_the_figure():
    assert Row("P3", "memory", 120, 120, unit="MB").met
    assert not Row("P3", "memory", 121, 120, unit="MB").met
    assert Row("P3", "memory", 121, 120, unit="MB").ratio is None


def test_the_text_has_all_that_a_reader_needs():
    row = compared("P2", "relay", 0.5, RUNS, ["other"])
    _, line = as_text([row]).splitlines()
    assert " ".join(line.split()) == "P2 relay 2 s 2.5 s other 0.8 <= 0.5 MISSED"
    assert as_text([Row("P3", "memory", 60, 120, unit="MB")]).endswith("<= 120 MB  met")


def test_a_floor_has_a_ratio_and_no_goal():
    line = as_text([Row("P2", "relay", 1.0, 0, FLOOR, 0.8)]).splitlines()[1]
    assert " ".join(line.split()) == "P2 relay 1 s 0.8 s floor 1.25"


def test_spreads_are_shown():
    assert spreads({OURS: [1.0, 1.1, 1.2], "other": [2.0]}) == "Runs differ by: wheelrelay 18%."


def test_the_document_has_every_single_run_and_the_circumstances():
    runs = seconds({OURS: [Measured(1.5, 1), Measured(2.5, 1)]})
    result = Result([compared("P2", "work", 1, RUNS, ["one"])], runs, ["curl is missing."])
    document = as_document([result], 2, {"load before": 0.25})
    assert document["results"][0]["runs"] == {OURS: [1.5, 2.5]}
    assert document["results"][0]["rows"][0]["met"] is True
    assert document["results"][0]["notes"] == ["curl is missing."]
    assert document["results"][0]["spread"] == {OURS: 0.5}
    assert {"date", "machine", "versions", "peers", "system tools"} < set(document)
    assert document["machine"]["load before"] == 0.25
