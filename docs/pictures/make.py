"""Make the pictures of the README from real runs: ``make pictures``.

What the commands print is drawn as an SVG that loads nothing; durations are evened out, so that the same code
gives the same picture. The page is photographed if there is a Chromium on the machine.
"""

import os
import random
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from wheelrelay.testing import make_sdist, make_wheel

HERE = Path(__file__).parent
WIDTH = 92
ADDRESS = "https://wheels.example.org/simple/sample/"
THEN = 1_767_225_600  # the first second of 2026
PLATFORMS = ("manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64")
CONFIG = """
[remotes.staging]
type = "directory"
path = "dist"

[remotes.company]
type = "directory"
path = "company"
pages = true

[routes.release]
source = "staging"
sinks = ["company"]

[routes.release.expect]
wheels = ["cp{312,313,314}-*-{manylinux*_x86_64,macosx_*_arm64,win_amd64}"]
sdist = true
"""
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
        font-size: {char_height}px; line-height: {line_height}px; }}
    .{unique_id}-title {{ font-size: 18px; font-family: sans-serif; }}
    {styles}
    </style>
    <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
    </g>
</svg>
"""


def release(dist: Path, pythons: range) -> None:
    """Wheels of some size for each Python and platform, and an sdist."""
    for minor in pythons:
        for platform in PLATFORMS:
            payload = random.Random(platform + str(minor)).randbytes(400_000 + 9_000 * minor)
            make_wheel(dist, "sample", "1.0", f"cp3{minor}-cp3{minor}-{platform}", payload=payload)
    make_sdist(dist, "sample", "1.0")


def told(folder: Path, command: str) -> Text:
    """What a terminal shows of a command, with its prompt."""
    environment = {**os.environ, "COLUMNS": str(WIDTH), "WHEELRELAY_CI": "off"}
    run = subprocess.run(
        [sys.executable, "-m", *command.split(), "--color", "always"],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    evened = re.sub(r"\bin [0-9.]+ s\b", "in 0.4 s", run.stdout)
    return Text.assemble((f"$ {command}\n", "bold"), Text.from_ansi(evened))


def drawn(name: str, *texts: Text) -> None:
    """Write ``name``.svg."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    for text in texts:
        console.print(text)
        console.print()
    console.save_svg(
        str(HERE / f"{name}.svg"), title="wheelrelay", code_format=SVG, unique_id=f"wheelrelay-{name}"
    )


def photographed(page: Path, name: str) -> None:
    """Write ``name``.png of a page, if there is a Chromium."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print(f"There is no Chromium on this machine: {name}.png stays as it is.")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page(viewport={"width": 960, "height": 640})
        content = page.read_text()
        opened.route("**/*", lambda route: route.fulfill(body=content, content_type="text/html"))
        opened.goto(ADDRESS)
        opened.screenshot(path=HERE / f"{name}.png")
        browser.close()


def main() -> None:
    """Make all of them."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "wheelrelay.toml").write_text(CONFIG)
        release(folder / "dist", range(12, 14))
        matrix = told(folder, "wheelrelay list staging --matrix")
        release(folder / "dist", range(14, 15))
        drawn("matrix", matrix, told(folder, "wheelrelay list staging --matrix"))
        drawn("relay", told(folder, "wheelrelay relay release sample==1.0 --yes"))
        for file in (folder / "company").glob("sample-*"):
            os.utime(file, (THEN, THEN))
        told(folder, "wheelrelay index company")
        photographed(folder / "company" / "simple" / "sample" / "index.html", "page")


if __name__ == "__main__":
    main()
