"""The pages of a container in a real browser: narrow and wide, light and dark, with and without scripts."""

import shutil
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urljoin

import pytest

import wheelrelay
from wheelrelay import AuditIssue, AuditReport, Remote, Severity
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.cli.render.audit_page import audit_html
from wheelrelay.containers.index_pages import root_html
from wheelrelay.testing import make_sdist, make_wheel

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")
PAGES = (
    *("index.html", "simple/", "simple/astropy/", "simple/a-project-with-a-very-long-name-indeed/"),
    "audit.html",
)
PLATFORMS = (
    "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "manylinux_2_28_aarch64",
    "musllinux_1_2_x86_64",
    "macosx_10_9_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
)

METADATA = {
    "Requires-Python": ">=3.9",
    "Summary": "Community-developed astronomy tools",
    "Project-URL": ["Source, https://example.org/astropy", "Documentation, https://docs.example.org/"],
}

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine to look with"),
]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format, *args):  # noqa: A002  (the base class names it so)
        """Nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A container with a large release."""
    dist, root = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("container")
    for version in ("7.0.1", "7.1.0"):
        for minor in range(9, 15):
            for platform in PLATFORMS:
                tag = f"cp3{minor}-cp3{minor}-{platform}"
                make_wheel(dist, "astropy", version, tag, metadata=METADATA)
        make_wheel(dist, "astropy", version, "cp314-cp314t-manylinux_2_28_x86_64")
        make_sdist(dist, "astropy", version)
    make_wheel(dist, "astropy", "7.2.0rc1", "cp314-cp314-win_amd64", metadata=METADATA)
    make_wheel(dist, "a_project_with_a_very_long_name_indeed", "2026.11.25.dev1234567890")
    wheelrelay.push([dist], to=Remote("there", DirectoryConfig(path=root, pages=True)))
    (root / "audit.html").write_bytes(audit_html(an_audit()))
    return root


def an_audit():
    """Return an audit with issues of all kinds and long names."""
    files = tuple(f"astropy-7.0.1-cp3{minor}-cp3{minor}-{PLATFORMS[0]}.whl" for minor in range(9, 15))
    issues = [
        AuditIssue("incomplete", Severity.ERROR, "astropy", "7.0.1", "No wheel for CPython 3.12.", files),
        AuditIssue("yanked", Severity.WARNING, "astropy", "7.0.0.dev2026+local", "All files are yanked."),
        AuditIssue("absent", Severity.ERROR, "missing", None, "The remote has no files of this project."),
    ]
    projects = ("astropy", "missing", "a-project-with-a-very-long-name-indeed")
    return AuditReport("company", datetime(2026, 11, 29, tzinfo=UTC), projects, 3, (), tuple(issues))


@pytest.fixture(scope="module")
def address(folder):
    """The same container, served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def look(browser, address):
    """Open a page in some surroundings; told are the complaints of the browser and of the policy too."""
    contexts = []

    def opened(path, **surroundings):
        context = browser.new_context(**surroundings)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("request", lambda request: page.complaints.append(request.url) if away(request.url) else None)
        page.goto(urljoin(address, path))
        return page

    def away(url):
        return not url.startswith(address)

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [360, 800, 1280])
def test_nothing_scrolls_sideways(look, path, width):
    page = look(path, viewport={"width": width, "height": 740})
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    wide = "[...document.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    assert page.evaluate(f"{wide}.map(e => e.outerHTML.slice(0, 80))") == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_no_violation(look, path, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    page = look(path, color_scheme=scheme, viewport={"width": width, "height": 740}, bypass_csp=True)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_for_nothing_else_and_breaks_no_rule_of_its_own(look, path):
    assert [said for said in look(path).complaints if "favicon" not in said] == []


def test_dark_is_dark_and_light_is_light(look):
    def brightness(scheme):
        page = look("simple/astropy/", color_scheme=scheme)
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, color.removeprefix("rgb(").rstrip(")").split(",")))

    assert brightness("dark") < 100 < 700 < brightness("light")


def test_the_command_names_this_very_index_and_can_be_copied(look, address):
    page = look("simple/astropy/", permissions=["clipboard-read", "clipboard-write"])
    command = f"pip install --index-url {address}simple/ astropy"
    assert page.locator("pre").all_inner_texts() == [
        command,
        f"uv pip install --default-index {address}simple/ astropy",
    ]
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == command


def test_all_can_be_read_without_scripts(look):
    page = look("simple/astropy/", java_script_enabled=False)
    text = page.inner_text("main")
    for part in ("ADDRESS is the address", "Wheels of 7.1.0", "astropy-7.1.0.tar.gz", "sha256", "kB"):
        assert part in text
    assert "astropy-7.0.1.tar.gz" not in text
    page.locator("summary", has_text="7.0.1").click()
    assert "astropy-7.0.1.tar.gz" in page.inner_text("main")


def test_links_are_reached_and_seen_by_keyboard(look):
    page = look("simple/astropy/")
    page.keyboard.press("Tab")
    focused = page.evaluate(
        "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
    )
    assert focused == ["A", "solid"]


def test_the_newest_release_is_a_matrix_with_heads(look):
    page = look("simple/astropy/")
    heads = page.locator(".matrix thead th").all_inner_texts()
    assert heads == ["cp39", "cp310", "cp311", "cp312", "cp313", "cp314", "cp314t"]
    assert page.locator(".matrix tbody tr").count() == len(PLATFORMS)


def test_releases_are_folded_marked_and_linked(look, address):
    page = look("simple/astropy/")
    assert page.locator("details[open] h2").all_inner_texts() == ["7.1.0"]
    assert "pre-release" in page.locator("summary", has_text="7.2.0rc1").inner_text()
    page.get_by_role("link", name="7.0.1", exact=True).click()
    assert page.locator("details[open] h2").all_inner_texts() == ["7.1.0", "7.0.1"]
    assert page.url == f"{address}simple/astropy/#v7.0.1"
    assert look("simple/astropy/#v7.2.0rc1").locator("details[open] h2").all_inner_texts() == [
        "7.2.0rc1",
        "7.1.0",
    ]


def test_summary_and_links_of_the_project_are_shown(look, address):
    page = look("simple/astropy/")
    assert "Community-developed astronomy tools" in page.inner_text("main")
    assert page.get_by_role("link", name="Source", exact=True).get_attribute("href") == (
        "https://example.org/astropy"
    )
    page.get_by_role("link", name="All projects").click()
    assert page.url == f"{address}simple/"


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_projects_are_searched_without_a_server(look, browser, address, folder, scheme):
    page = look("simple/") if scheme == "http" else browser.new_page()
    if scheme == "file":
        page.goto(f"file://{folder}/simple/index.html")
    assert page.locator(".projects li:visible").count() == 2
    page.get_by_label("Search projects").fill("Very_Long name")
    assert page.locator(".projects li:visible").all_inner_texts() == [
        "a-project-with-a-very-long-name-indeed"
    ]
    assert page.get_by_role("status").inner_text() == "1 of 2"
    page.get_by_label("Search projects").fill("nothing")
    assert page.locator(".projects li:visible").count() == 0


def test_search_of_many_projects_is_fast(browser, tmp_path):
    names = [f"project-with-a-name-{number:04}" for number in range(5_000)]
    (tmp_path / "index.html").write_bytes(root_html(names))
    page = browser.new_page()
    page.goto(f"file://{tmp_path}/index.html")
    seconds = page.evaluate(
        """() => {const field = document.querySelector("input"), began = performance.now();
        field.value = "0042"; field.dispatchEvent(new Event("input"));
        return (performance.now() - began) / 1000}"""
    )
    assert page.locator(".projects li:visible").all_inner_texts() == ["project-with-a-name-0042"]
    assert seconds < 1
