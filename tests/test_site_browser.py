"""The web site in a browser: two sizes, light and dark, without errors and without the network."""

import os
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from course_utils.authoring.notebooks import ROOT
from tests.lab_page import BROWSER_FLAGS, find_browser

pytest.importorskip("playwright", reason="playwright is not installed; `make test` installs it")
pytestmark = pytest.mark.skipif(
    find_browser() is None,
    reason="no browser on PATH: install chromium or Google Chrome to test the site",
)

LARGE, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}
AXE = ROOT / "site" / "node_modules" / "axe-core" / "axe.min.js"
# Of the API reference, which has a page for each module, these stand for all.
OF_THE_REFERENCE = ("reference/course_utils.html", "reference/course_utils/losses.html")
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Contrast takes axe most of its time. Colours are those of the style sheet on every page, so one
# lesson stands for all, with its code and its formulas, and one table of measurements too.
ONE_LESSON, ONE_TABLE = "notebooks/05_conditional_gan.html", "benchmarks/index.html"
INSIDE = ["mjx-container", ".highlight"]
# What a reader cannot do without. The demos are pages of their own.
FINDINGS = """async ([options, without]) => {
    const run = {resultTypes: ["violations"], iframes: false, ...options};
    const exclude = without.map(part => [part]);
    const {violations} = await axe.run({include: [["html"]], exclude}, run);
    return violations.filter(found => ["serious", "critical"].includes(found.impact)).map(found =>
        `${found.id}: ${found.nodes.length}, first ${found.nodes[0].html.slice(0, 150)}`);
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(folder: Path):
    """The address at which a folder is served on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def opened(site):
    """(page of a browser, address of the site, what went wrong so far)."""
    from playwright.sync_api import sync_playwright

    with served(site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(), args=list(BROWSER_FLAGS)
        )
        page = browser.new_page(viewport=LARGE, color_scheme="light")
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
        page.on("request", lambda sent: wrong.extend(elsewhere(sent.url, address)))
        page.on("response", lambda got: got.status >= 400 and wrong.append(f"missing: {got.url}"))
        yield page, address, wrong
        browser.close()


def elsewhere(url: str, address: str) -> list[str]:
    return [] if url.startswith((address, "data:", "blob:")) else [f"off the server: {url}"]


def names(site: Path) -> list[str]:
    """Every page, as its address."""
    paths = [path for path in sorted(site.rglob("*.html")) if "demos" not in path.parts]
    own = [str(path.relative_to(site)) for path in paths if "reference" not in path.parts]
    return [*own, *OF_THE_REFERENCE]


def show(page, address: str) -> None:
    page.goto(address)
    # MathJax has set every formula; the function keeps its object, which is huge, in the page.
    page.evaluate("async () => { await window.MathJax?.startup?.promise; }")


def test_every_page_at_two_sizes_in_light_and_dark(site, opened):
    page, address, wrong = opened
    axe = AXE.read_text(encoding="utf-8")
    found = []
    for name in names(site):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(LARGE)
            if scheme == "light":
                show(page, address + name)
                page.evaluate(axe)
            found += [f"{name}, {scheme}: {said}" for said in findings(page, name, scheme)]
            for size in (LARGE, PHONE):
                page.set_viewport_size(size)
                if (beyond := page.evaluate(TOO_WIDE)) > 0:
                    found.append(f"{name}, {scheme}: {beyond} px too wide at {size['width']}")
                save(page, name, scheme, size["width"])
        found += [f"{name}: {said}" for said in wrong]
        wrong.clear()
    assert not found, "\n".join(found)


def findings(page, name: str, scheme: str) -> list[str]:
    """What axe finds: all in light, and once more the contrast in dark."""
    stands_for_others = name in (ONE_LESSON, ONE_TABLE)
    contrast = stands_for_others or not name.startswith(("notebooks/", "benchmarks/"))
    if scheme == "dark" and not contrast:
        return []
    options = {"rules": {"color-contrast": {"enabled": contrast}}}
    if scheme == "dark":
        options = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
    return page.evaluate(FINDINGS, [options, [] if stands_for_others else INSIDE])


def save(page, name: str, scheme: str, width: int) -> None:
    """A screenshot, where COURSE_SCREENSHOTS names a folder."""
    if folder := os.environ.get("COURSE_SCREENSHOTS"):
        file = f"{name.replace('/', '-').removesuffix('.html')}-{scheme}-{width}.png"
        page.screenshot(path=Path(folder) / file)


def test_a_word_is_found(opened):
    page, address, wrong = opened
    page.set_viewport_size(LARGE)
    show(page, address + "search.html?q=ELBO")
    page.locator("#search-results a[href*='03_vae_latent_space']").first.wait_for()
    assert not wrong


def test_a_folded_cell_opens_by_the_keyboard(opened):
    page, address, _ = opened
    show(page, address + "notebooks/05_conditional_gan.html")
    summary = page.locator("details.hide > summary").first
    code = page.locator("details.hide .cell_input").first
    assert not code.is_visible()
    summary.focus()
    page.keyboard.press("Enter")
    code.wait_for()


def test_what_is_printed_has_no_bars_beside_it_and_is_not_cut(opened):
    page, address, _ = opened
    show(page, address + "notebooks/05_conditional_gan.html")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 720, "height": 1000})  # as much as A4 has between margins
    for part in ("article", "article pre", "article figure"):
        cut = "boxes => boxes.filter(box => box.getBoundingClientRect().right > innerWidth).length"
        assert page.locator(part).evaluate_all(cut) == 0, part
    for part in (".sidebar-drawer", ".course-open", ".mobile-header"):
        assert not page.locator(part).first.is_visible(), part
    page.emulate_media(media="screen")
