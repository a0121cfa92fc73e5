"""The table of a run takes the place of the one before."""

import pytest

from tests.benchmarks.readme import BEGIN, END, README, as_markdown, with_table
from tests.benchmarks.table import OURS, Result, Row, as_document


def test_the_table_is_replaced_and_nothing_else():
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_table(text, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


def test_a_text_without_a_place_for_it_is_refused():
    with pytest.raises(ValueError, match="no <!--"):
        with_table(f"{END} {BEGIN}", "new")


def test_the_readme_has_a_place_for_it():
    assert "| P1 |" in with_table(README.read_text(), "| P1 |")


def test_rows_notes_and_circumstances_are_shown():
    row = Row("P2", "relay", 1.0, 0.5, "curl + uv", 1.25)
    document = as_document(
        [Result([row], {OURS: [1.0]}, ["aria2c is missing."])],
        3,
        {"load before": 0.5, "steal": 0.2, "MHz": None},
    )
    shown = as_markdown(document)
    assert "| P2 | relay | 1 s | 1.25 s | curl + uv | 0.8 | <= 0.5 | MISSED |" in shown.splitlines()
    assert "- aria2c is missing." in shown
    assert document["date"][:10] in shown
    assert f"wheelrelay {document['versions']['wheelrelay']}" in shown
