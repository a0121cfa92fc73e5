"""All sides run in turn, under the same circumstances."""

import sys

from tests.benchmarks.environment import Environment
from tests.benchmarks.measure import Measured


def test_sides_take_turns_and_a_warm_up_does_not_count(tmp_path):
    diary = []

    def side(name):
        diary.append(name)
        return Measured(1, len(diary))

    measured = Environment(tmp_path, runs=2).compete(
        {"a": lambda: side("a"), "b": lambda: side("b")}, warm=["b"]
    )
    assert "".join(diary) == "babab"
    assert [run.peak for run in measured["a"]] == [2, 4]
    assert [run.peak for run in measured["b"]] == [3, 5]


def test_a_noisy_round_is_repeated_and_the_calmer_one_counts(tmp_path):
    seconds = iter([1.0, 2.0, 1.0, 1.1])
    measured = Environment(tmp_path, runs=2).compete({"a": lambda: Measured(next(seconds), 0)})
    assert [run.seconds for run in measured["a"]] == [1.0, 1.1]


def test_a_calm_round_is_not_repeated(tmp_path):
    seconds = iter([1.0, 1.1])
    Environment(tmp_path, runs=2).compete({"a": lambda: Measured(next(seconds), 0)})
    assert not list(seconds)


def test_a_command_meets_no_proxy_no_other_server_and_an_empty_home(tmp_path, monkeypatch):
    for name in ("https_proxy", "HTTP_PROXY", "AWS_CA_BUNDLE", "TWINE_REPOSITORY_URL"):
        monkeypatch.setenv(name, "elsewhere")
    code = "import os; open('seen', 'w').write(repr((sorted(os.environ), os.listdir(os.environ['HOME']))))"
    Environment(tmp_path).measure(tmp_path, [sys.executable, "-c", code], TWINE_USERNAME="bench")
    seen = (tmp_path / "seen").read_text()
    assert "TWINE_USERNAME" in seen
    assert seen.endswith(", [])")
    for name in ("https_proxy", "HTTP_PROXY", "AWS_CA_BUNDLE", "TWINE_REPOSITORY_URL"):
        assert name not in seen
