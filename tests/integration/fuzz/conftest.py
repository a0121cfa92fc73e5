"""What every fuzzing test is held to: our errors alone, in bounded time and memory, and nothing written."""

import functools
import inspect
import itertools
import resource
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from wheelrelay.errors import WheelrelayError

SECONDS = 5.5
"""Seconds for each of the tests: about a minute for all of them."""

EACH = 10.0
"""Processor seconds that one example may take: none hangs, and a slow machine is no failure."""

GROWTH = 200 << 10
"""Kibibytes by which the memory of this process may grow in one test."""

ROUND = 25
"""Examples between two looks at the clock."""


def fuzz(
    *strategies: SearchStrategy[Any], examples: Iterable[tuple[Any, ...]] = (), **named: SearchStrategy[Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Try a test with these examples and with random ones, until `SECONDS` have passed.

    The random ones come in rounds, each with its number as the seed: a failure can be repeated, and is made
    small. Hypothesis has no limit of time of its own.
    """

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        given_names = list(inspect.signature(test).parameters)[-(len(strategies) or len(named)) :]
        fixtures = [name for name in inspect.signature(test).parameters if name not in given_names]

        @functools.wraps(test)
        def run(**requested: Any) -> None:
            ends = monotonic() + SECONDS
            one = functools.partial(test, **requested)
            for values in examples:
                one(**dict(zip(given_names, values, strict=True)))
            drawn = named or dict(zip(given_names, strategies, strict=True))
            for number in itertools.count():
                if monotonic() > ends:
                    break
                print(f"seed {number}")
                hypothesis.seed(number)(
                    SETTINGS(hypothesis.given(st.fixed_dictionaries(drawn))(_apart(one)))
                )()

        parameters = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in fixtures]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return run

    return decorate


SETTINGS = hypothesis.settings(
    max_examples=ROUND,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


def _apart(one: Callable[..., None]) -> Callable[[dict[str, Any]], None]:
    def tried(drawn: dict[str, Any]) -> None:
        one(**drawn)

    return tried


class Guard:
    """Holds examples to what is promised."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tried = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """One example: ends in time, and raises an error of ours or none."""
        self.tried += 1
        began = process_time()
        try:
            yield
        except WheelrelayError as error:
            if not str(error).strip():
                raise AssertionError("the error has no words") from error
        assert process_time() - began < EACH, "it takes too long"


@pytest.fixture
def guard(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    """A guard, in a folder where nothing but ``input`` may change."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "input").mkdir()
    (folder / "temporary").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder / "temporary"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = Guard(folder)
    yield made
    assert made.tried > 20, "hardly anything was tried"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH
    assert sorted(path.name for path in folder.iterdir()) == ["input", "temporary"]
    assert list((folder / "temporary").iterdir()) == []
