"""These tests drive a real browser; without one they are not collected, and the header of the run says so."""

import importlib.util
import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NEEDED = {"chromium": CHROMIUM, "the package playwright": importlib.util.find_spec("playwright")}
MISSING = [what for what, found in NEEDED.items() if not found]
collect_ignore_glob = ["test_*.py"] if MISSING else []


def pytest_report_header():
    return f"tests/viz/browser is left out: there is no {' and no '.join(MISSING)}" if MISSING else f"browser: {CHROMIUM}"


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, tmp_path):
    """Opens a picture's page; at the end, nothing may have been written to the console or asked of the network."""
    pages, said, asked = [], [], []

    def open_(picture, **options):
        path = tmp_path / f"page{len(pages)}.html"
        path.write_text(picture if isinstance(picture, str) else picture.to_html(), encoding="utf-8")
        page = chromium.new_page(viewport={"width": 1280, "height": 800}, **options)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_
    for page in pages:
        page.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []
