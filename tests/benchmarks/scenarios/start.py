"""P6: how soon the command line is there."""

from functools import partial

from tests.benchmarks.environment import Environment
from tests.benchmarks.peers import peer
from tests.benchmarks.table import Result, compared, seconds
from wheelrelay.testing.samples import make_wheel

FILES = 20
TWINE = "twine --version"
TURNS = 5
"""Times as many runs as others have: these are short."""


def start(environment: Environment) -> Result:
    """P6: ``--version``, ``--help`` and ``list`` beside ``twine --version``."""
    folder = environment.folder("P6")
    dist = folder / "dist"
    for build in range(FILES):
        make_wheel(dist, "bench", build=str(build))
    goals = {"--version": 0.5, "--help": 0.5, f"list {dist}": 1.0}
    commands = {f"wheelrelay {words}": environment.wheelrelay(*words.split()) for words in goals}
    commands[TWINE] = [peer("twine"), "--version"]
    contenders = {name: partial(environment.measure, folder, command) for name, command in commands.items()}
    runs = seconds(environment.compete(contenders, warm=contenders, turns=TURNS * environment.runs))
    rows = [
        compared("P6", f"wheelrelay {words.split()[0]}", goal, runs, [TWINE], ours=f"wheelrelay {words}")
        for words, goal in goals.items()
    ]
    return Result(rows, runs)
