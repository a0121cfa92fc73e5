"""PyPI's rules for the names of new projects."""

import pytest

from wheelrelay.engine.preflight.names import confusable_form, confusable_with, is_standard_library


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("requests", "request-s"),
        ("pillow", "PI110W"),
        ("foo-bar", "f00.bar"),
        ("a_b", "ab"),
        ("flask", "f1ask"),
    ],
)
def test_names_that_look_alike_have_the_same_form(name, other):
    assert confusable_form(name) == confusable_form(other)


@pytest.mark.parametrize(("name", "other"), [("requests", "request"), ("numpy", "nump7"), ("a5", "as")])
def test_other_names_differ(name, other):
    assert confusable_form(name) != confusable_form(other)


def test_finds_the_existing_name():
    assert confusable_with("pi11ow", ["numpy", "pi11ow", "pillow"]) == "pillow"
    assert confusable_with("pillow", ["numpy", "pillow"]) is None


def test_knows_modules_of_the_standard_library():
    assert is_standard_library("asyncio")
    assert is_standard_library("future")  # __future__
    assert not is_standard_library("numpy")
