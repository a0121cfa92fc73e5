"""Plan twice and write the seconds of the second plan: ``python second_plan.py CONFIG RESULT``."""

import json
import sys
import time
from pathlib import Path

from wheelrelay import Route, load_config, plan


def main(config: str, result: str) -> None:
    """Plan, and plan again."""
    remotes = load_config(config).remotes
    route = Route(source=remotes["dist"], sinks=[remotes["sink"]])
    seconds = 0.0
    for _ in range(2):
        started = time.perf_counter()
        planned = plan(route, ["bench==1.0"])
        seconds = time.perf_counter() - started
        assert len(planned.files) == 2
    Path(result).write_text(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
