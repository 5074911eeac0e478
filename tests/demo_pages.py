"""The built demos on a local server, and a browser that shows them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.lab_page import BROWSER_FLAGS, find_browser

# What one sees of a page as one string: all canvases, and the grids of numbers.
SEEN = """
window.seen = () => [...document.querySelectorAll("canvas")].map(one => one.toDataURL()).join()
    + (document.getElementById("grids")?.innerHTML ?? "");
"""


class Quiet(SimpleHTTPRequestHandler):
    """A static server as any other, without a line for each request."""

    def log_message(self, *_):
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def browser() -> Iterator:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=find_browser(), args=list(BROWSER_FLAGS)
        )
        yield opened
        opened.close()


@contextmanager
def demo_page(opened, address: str, name: str, **options) -> Iterator:
    """A page with a demo whose first image is drawn.

    It notes every request in `page.requests`, and errors and warnings in `page.complaints`.
    """
    context = opened.new_context(**{"viewport": {"width": 1280, "height": 720}} | options)
    page = context.new_page()
    page.requests, page.complaints = [], []
    page.on("request", lambda request: page.requests.append(request.url))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("requestfailed", lambda request: page.complaints.append(f"failed: {request.url}"))
    page.on(
        "console",
        lambda said: page.complaints.append(said.text) if said.type != "log" else None,
    )
    page.add_init_script(SEEN)
    page.goto(f"{address}{name}/index.html")
    page.wait_for_selector("html[data-ready=yes]")
    yield page
    context.close()
