"""Fuzzing: every example ends with a result or an error of wheelrelay, in bounded time and memory."""

import functools
import inspect
import itertools
import resource
from contextlib import contextmanager
from time import monotonic, process_time

import hypothesis
import pytest
from hypothesis import strategies as st

from wheelrelay.errors import WheelrelayError

SECONDS_PER_TEST = 5.5
"""Seconds for each test: about a minute for all of them."""

MAX_EXAMPLE_SECONDS = 10.0
"""Processor seconds that one example may take, generous for slow machines."""

MAX_GROWTH = 200 << 10
"""Kibibytes by which the memory of this process may grow in one test."""

EXAMPLES_PER_ROUND = 25
"""Examples between two checks of the elapsed time."""


def fuzz(*strategies, examples=(), **named):
    """Run a test with these examples and with random ones until `SECONDS_PER_TEST` have passed.

    Hypothesis has no time limit, so random examples run in rounds. The number of a round is its seed: a
    failure can be reproduced, and hypothesis minimizes it.
    """

    def decorate(test):
        argument_names = list(inspect.signature(test).parameters)[-(len(strategies) or len(named)) :]
        fixtures = [name for name in inspect.signature(test).parameters if name not in argument_names]

        @functools.wraps(test)
        def run(**fixture_values):
            ends = monotonic() + SECONDS_PER_TEST
            run_example = functools.partial(test, **fixture_values)
            for values in examples:
                run_example(**dict(zip(argument_names, values, strict=True)))
            strategy_of = named or dict(zip(argument_names, strategies, strict=True))
            for number in itertools.count():
                if monotonic() > ends:
                    break
                print(f"seed {number}")
                hypothesis.seed(number)(
                    SETTINGS(hypothesis.given(st.fixed_dictionaries(strategy_of))(_with_dict(run_example)))
                )()

        parameters = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in fixtures]
        run.__signature__ = inspect.Signature(parameters)
        return run

    return decorate


SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES_PER_ROUND,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


def _with_dict(function):
    def call(values):
        function(**values)

    return call


class Guard:
    """Verifies each example."""

    def __init__(self, folder):
        self.folder = folder
        self.examples = 0

    @contextmanager
    def __call__(self):
        """Run one example, which must end in time and may raise only errors of wheelrelay."""
        self.examples += 1
        start = process_time()
        try:
            yield
        except WheelrelayError as error:
            if not str(error).strip():
                raise AssertionError("the error has no message") from error
        assert process_time() - start < MAX_EXAMPLE_SECONDS, "the example takes too long"


@pytest.fixture
def guard(tmp_path_factory, monkeypatch):
    """A guard, in a working directory where only ``input`` may change."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "input").mkdir()
    (folder / "temporary").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder / "temporary"))
    # Builds the Unicode tables of hypothesis, which take much memory if they are not cached on disk.
    hypothesis.find(st.text(min_size=1), bool, settings=hypothesis.settings(database=None))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    guard = Guard(folder)
    yield guard
    assert guard.examples > 20, "too few examples"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MAX_GROWTH
    assert sorted(path.name for path in folder.iterdir()) == ["input", "temporary"]
    assert list((folder / "temporary").iterdir()) == []
