"""Draw the pictures of the README and the documentation from real runs: ``make pictures``.

The output of the commands becomes an SVG without external resources, for a light and for a dark page.
Durations are replaced by a constant, so that the same code draws the same picture. The picture of a page
needs Chromium.
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
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
from rich.text import Text

from wheelrelay.cli.demo_folder import make_demo_folder
from wheelrelay.testing import make_sdist, make_wheel

HERE = Path(__file__).parent
WIDTH = 100
URL = "https://wheels.example.org/simple/sample/"
FILE_TIME = 1_767_225_600  # the first second of 2026
PLATFORMS = ("manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64")
THEMES = {"light": DEFAULT_TERMINAL_THEME, "dark": SVG_EXPORT_THEME}
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


def release(dist: Path) -> None:
    """Create wheels of some size for each Python and platform, and an sdist."""
    for minor in range(12, 15):
        for platform in PLATFORMS:
            payload = random.Random(platform + str(minor)).randbytes(400_000 + 9_000 * minor)
            make_wheel(dist, "sample", "1.0", f"cp3{minor}-cp3{minor}-{platform}", payload=payload)
    make_sdist(dist, "sample", "1.0")


def output_of(folder: Path, command: str) -> Text:
    """Run a command; return its prompt and output as a terminal shows them."""
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
    output = re.sub(r"\b(in|took) [0-9.]+ s\b", r"\1 0.1 s", run.stdout)
    return Text.assemble((f"$ {command}\n", "bold"), Text.from_ansi(output))


def draw(name: str, *texts: Text) -> None:
    """Write ``name-light.svg`` and ``name-dark.svg``."""
    for theme, colors in THEMES.items():
        console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
        for text in texts:
            console.print(text)
        svg = console.export_svg(
            title="wheelrelay", code_format=SVG, theme=colors, unique_id=f"wheelrelay-{name}-{theme}"
        )
        (HERE / f"{name}-{theme}.svg").write_text(svg.replace("rgba(255,255,255,0.35)", "#8888"))


def screenshot(page: Path, name: str) -> None:
    """Write ``name``.png of a page, if Chromium is installed."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print(f"Chromium is not installed: {name}.png is unchanged.")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 960, "height": 640})
        content = page.read_text()
        tab.route("**/*", lambda route: route.fulfill(body=content, content_type="text/html"))
        tab.goto(URL)
        tab.screenshot(path=HERE / f"{name}.png")
        browser.close()


def main() -> None:
    """Draw all pictures."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "tour"
        make_demo_folder(folder)
        draw("matrix", output_of(folder, "wheelrelay list staging --matrix"))
        refused = output_of(folder, "wheelrelay relay release sample==1.0 --yes")
        output_of(folder, "wheelrelay push rebuilt --to staging --replace")
        output_of(folder, "wheelrelay remove staging sample-1.0-cp39-cp39-win32.whl")
        draw("promise", refused, output_of(folder, "wheelrelay relay release sample==1.0 --yes"))
        container = Path(temporary) / "container"
        release(container)
        for file in container.glob("sample-*"):
            os.utime(file, (FILE_TIME, FILE_TIME))
        output_of(Path(temporary), "wheelrelay index ./container")
        screenshot(container / "simple" / "sample" / "index.html", "page")


if __name__ == "__main__":
    main()
