"""The search of the documentation answers common questions with its first results."""

import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
QUESTIONS = {
    "keep nightlies 14 days": "recipes/keep-nightlies-for-14-days.html",
    "zip-data-descriptor": "reference/checks.html#zip-data-descriptor",
    "S3 permissions": "reference/packages/wheelrelay-s3.html",
    "write a backend": "guides/write-a-backend.html",
    "exit code 4": "reference/exit-codes.html#exit-code-4",
}
FIRST_RESULTS = 5

pytestmark = [
    pytest.mark.long,
    pytest.mark.xdist_group("documentation"),
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format, *args):  # noqa: A002  (the base class names it so)
        """Log nothing."""


@pytest.fixture(scope="module")
def address(built):
    site = built("html")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_answer_is_among_the_first_results(browser, address, question):
    page = browser.new_page()
    page.goto(address)
    page.fill("input[name=q]", question)
    page.press("input[name=q]", "Enter")
    page.wait_for_selector("#search-results .search-summary >> text=/found/", timeout=60_000)
    links = [link.get_attribute("href") for link in page.locator("#search-results li a").all()]
    assert QUESTIONS[question] in links[:FIRST_RESULTS]
    page.close()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_the_screen(browser, address, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for name in ("index", "concepts/what-can-go-wrong", "reference/checks", "reference/remotes"):
        page.goto(f"{address}{name}.html")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.close()
