"""Over 100 hostile servers: a command ends soon, in little memory, with one clear sentence."""

import base64
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from tests.integration.hostile.answers import ANY, FILES, JSON, PAGES
from tests.servers.raw import answer, run_raw

from wheelrelay.testing import make_wheel

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

LONGEST = 300.0
"""Seconds that a command may take, on a machine that does other things too."""

MOST_WORK = 30.0
"""Seconds of computing that a command may take."""

MOST_MEMORY = 200
"""Megabytes that a process may have at most."""

SHARES = 5
"""Parts of the answers. Not every command meets every answer: that takes half an hour, and this minutes."""

FAULTS = ("Traceback", "This is a bug")

SMALL = ("--timeout", "0.5", "--max-retry-wait", "0s")

WHEEL = "sample-1.0-py3-none-any.whl"

MEASURE = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
work = usage.ru_utime + usage.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), work, usage.ru_maxrss // 1024]))
"""
"""Measures a command from a small process: a child inherits the peak memory of the one that starts it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    error: str
    seconds: float
    work: float
    megabytes: int


def run(*arguments, folder, **environment):
    """Run a command as users do."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "ACTIONS_"))}
    with (folder / "error").open("w+") as error:
        began = time.monotonic()
        measured = subprocess.run(
            [sys.executable, "-c", MEASURE, sys.executable, "-m", "wheelrelay", *arguments],
            cwd=folder,
            env={**kept, "HOME": str(folder), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=error,
            check=True,
        )
        seconds = time.monotonic() - began
        code, work, megabytes = json.loads(measured.stdout)
        error.seek(0)
        return Ended(code, error.read(), seconds, work, megabytes)


def complaints(name, ended, codes):
    """What is wrong with how a command ended."""
    lines = ended.error.strip().splitlines()
    if ended.code not in codes:
        yield f"{name}: exit {ended.code}: {ended.error[-300:]}"
    if any(fault in ended.error for fault in FAULTS):
        yield f"{name}: {ended.error[-600:]}"
    if ended.code and not any(line.startswith("error: ") and len(line) < 2000 for line in lines):
        yield f"{name}: no clear sentence: {ended.error[-300:]}"
    if any(not line.isprintable() for line in lines):
        yield f"{name}: it steers the terminal: {ended.error[-300:]!r}"
    if ended.seconds > LONGEST:
        yield f"{name}: it took {ended.seconds:.0f} s"
    if ended.work > MOST_WORK:
        yield f"{name}: it computed for {ended.work:.0f} s"
    if ended.megabytes > MOST_MEMORY:
        yield f"{name}: it needed {ended.megabytes} MB"


def try_all(answers, one, codes, folder):
    """Run a command against each of the servers, and gather what is wrong."""

    def work(numbered):
        number, (name, hostile) = numbered
        own = folder / str(number)
        own.mkdir()
        return list(complaints(name, one(own, hostile), codes))

    with ThreadPoolExecutor(4) as pool:
        found = [complaint for each in pool.map(work, enumerate(answers.items())) for complaint in each]
    assert not found, "\n".join(found)


def list_page(folder, hostile):
    """List a project whose page is hostile."""
    with run_raw(hostile) as server:
        return run("list", f"index+{server.url}simple/", "sample", *SMALL, folder=folder)


def plan_sink(folder, hostile):
    """Plan to publish to an index whose page is hostile."""
    make_wheel(folder / "dist")
    with run_raw(hostile) as server:
        configure(folder, server.url)
        return run("plan", "--from", "./dist", "--to", "i", *SMALL, folder=folder)


def relay_file(folder, hostile):
    """Download a file that is hostile."""
    entry = {"filename": WHEEL, "url": "/file", "hashes": {"sha256": "0" * 64}, "size": 1000}
    page = json.dumps({"meta": {"api-version": "1.0"}, "name": "sample", "files": [entry]}).encode()

    def respond(asked):
        return [answer(page, kind=JSON)] if asked.path.startswith("/simple") else hostile(asked)

    with run_raw(respond) as server:
        source = f"index+{server.url}simple/"
        return run("relay", "--from", source, "--to", "./out", "sample==1.0", *SMALL, folder=folder)


def upload(folder, hostile):
    """Upload to an index whose answer is hostile."""
    make_wheel(folder / "dist")

    def respond(asked):
        return hostile(asked) if asked.method == "POST" else [answer(b"no", status="404 Not Found")]

    with run_raw(respond) as server:
        configure(folder, server.url)
        options = ("--yes", "--confirm-timeout", "1s", *SMALL)
        return run("relay", "--from", "./dist", "--to", "i", *options, folder=folder)


def mint(folder, hostile):
    """Get a token from an index whose answers are hostile."""
    make_wheel(folder / "dist")
    claims = base64.urlsafe_b64encode(json.dumps({"repository": "a/b"}).encode()).decode().rstrip("=")
    identity = json.dumps({"value": f"e30.{claims}.c2ln"}).encode()

    def respond(asked):
        if asked.path.startswith("/identity"):
            return [answer(identity, kind="application/json")]
        if asked.path.startswith("/_/oidc/audience") and asked.number % 2 == 0:
            return [answer(b'{"audience": "i"}', kind="application/json")]
        if "oidc" in asked.path:
            return hostile(asked)
        return [answer(b"no", status="404 Not Found")]

    with run_raw(respond) as server:
        configure(folder, server.url, login=False)
        options = ("--yes", "--confirm-timeout", "1s", *SMALL)
        return run(
            *("relay", "--from", "./dist", "--to", "i", *options),
            folder=folder,
            GITHUB_ACTIONS="true",
            ACTIONS_ID_TOKEN_REQUEST_URL=f"{server.url}identity?a=b",
            ACTIONS_ID_TOKEN_REQUEST_TOKEN="t",
        )


def configure(folder, url, *, login=True):
    """Write a configuration with an index ``i``."""
    credentials = 'username = "me"\npassword = { command = ["echo", "secret"] }\n' if login else ""
    (folder / "wheelrelay.toml").write_text(
        f'[remotes.i]\ntype = "index"\nurl = "{url}simple/"\nupload_url = "{url}legacy/"\n{credentials}'
    )


def share(answers, number):
    """One of `SHARES` parts of the answers: together, the commands that take a part meet all of them."""
    return dict(list(answers.items())[number::SHARES])


def test_there_are_over_a_hundred():
    assert len(ANY) + len(PAGES) + len(FILES) > 100
    assert {name for number in range(SHARES) for name in share(ANY, number)} == set(ANY)


def test_a_page_that_is_listed(tmp_path):
    try_all({**share(ANY, 0), **PAGES}, list_page, (0, 1, 3), tmp_path)


def test_a_page_of_a_sink_that_is_planned(tmp_path):
    try_all({**share(ANY, 1), **share(PAGES, 0)}, plan_sink, (0, 1, 3), tmp_path)


def test_a_file_that_is_relayed(tmp_path):
    try_all({**share(ANY, 2), **FILES}, relay_file, (1, 3), tmp_path)


def test_an_answer_to_an_upload(tmp_path):
    try_all({**share(ANY, 3), **share(ANY, 0)}, upload, (1, 3, 4), tmp_path)


def test_a_token_that_is_made(tmp_path):
    try_all(share(ANY, 4), mint, (1, 2, 3, 4), tmp_path)
