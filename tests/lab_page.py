"""A real JupyterLab in a real browser: started, driven and measured.

Used by the tests of the page and by benchmarks/slider_latency.py. All of it works on a copy of
the notebook, because JupyterLab saves in place.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from course_utils.authoring.notebooks import kernel_environment

TOKEN = "course"
START_SECONDS, RUN_SECONDS, CHANGE_SECONDS = 60, 300, 10
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# No questions about news, and every cell in the page at once, however far down.
LAB_SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}
# The pixels of every image widget as one string, and a promise of their next change: the
# milliseconds since the key went down. Comparing addresses first keeps the watching itself cheap.
PAGE_FUNCTIONS = """
const images = () => [...document.querySelectorAll("img.widget-image")];
const addresses = () => images().map(image => image.src).join();
const pixels = () => images().map(image => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL();
}).join();
const loaded = () => images().every(image => image.complete && image.naturalWidth);
window.awaitChange = limit => {
    const [oldAddresses, oldPixels] = [addresses(), pixels()];
    const changed = () => addresses() !== oldAddresses && loaded() && pixels() !== oldPixels;
    window.change = new Promise((resolve, reject) => {
        document.addEventListener("keydown", () => {
            const pressed = performance.now();
            const look = () => {
                const passed = performance.now() - pressed;
                if (changed()) resolve(passed);
                else if (passed > limit) reject("no image changed");
                else requestAnimationFrame(look);
            };
            requestAnimationFrame(look);
        }, {capture: true, once: true});
    });
};
"""


def find_browser() -> str | None:
    """The path of a browser that playwright can steer, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def jupyter_lab(notebook: Path, folder: Path) -> Iterator[str]:
    """Serve a copy of `notebook` in the empty `folder`; gives the address of its page.

    Raises:
        RuntimeError: JupyterLab did not start; the message holds what it printed.
    """
    served = folder / "served"
    served.mkdir()
    shutil.copy(notebook, served)
    for name, values in LAB_SETTINGS.items():
        setting = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        setting.parent.mkdir(parents=True, exist_ok=True)
        setting.write_text(json.dumps(values), encoding="utf-8")

    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
    command += [f"--ServerApp.root_dir={served}", "--allow-root"]
    variables = {
        "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
        "JUPYTER_CONFIG_DIR": folder / "config",
        "COURSE_RUNS": folder / "runs",
        "COURSE_PROGRESS": "off",
    }
    environment = kernel_environment({name: str(value) for name, value in variables.items()})
    log = folder / "jupyterlab.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        _wait_for_server(server, f"http://127.0.0.1:{port}/api?token={TOKEN}", log)
        yield f"http://127.0.0.1:{port}/doc/tree/{notebook.name}?token={TOKEN}"
    finally:
        server.terminate()  # JupyterLab shuts its kernels down before it ends
        server.wait(timeout=30)


@contextmanager
def browser_page(address: str) -> Iterator:
    """A playwright page that shows the notebook at `address`, its kernel ready."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(), args=list(BROWSER_FLAGS)
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(START_SECONDS * 1000)
        page.goto(address)
        # Running before the session is ready makes JupyterLab ask for a kernel, and wait for ever.
        page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.isReady")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        page.add_script_tag(content=PAGE_FUNCTIONS)
        yield page
        browser.close()


def run_all(page) -> list[dict]:
    """Run every cell of the page's notebook and wait for the last; gives all outputs."""
    page.evaluate(
        """() => {
            const ran = window.jupyterapp.commands.execute("notebook:run-all-cells");
            ran.finally(() => window.allCellsRan = true);
        }"""
    )
    page.wait_for_function("window.allCellsRan", timeout=RUN_SECONDS * 1000)
    cells = page.evaluate("window.jupyterapp.shell.currentWidget.model.toJSON().cells")
    return [output for cell in cells for output in cell.get("outputs", [])]


def move(page, handle) -> float:
    """Move a slider by one key press; milliseconds from the key to changed pixels on the page.

    A handle at its upper end moves down, any other one up.

    Raises:
        playwright.sync_api.Error: no image changed within `CHANGE_SECONDS`.
    """
    handle.focus()
    value, most = (float(handle.get_attribute(name)) for name in ("aria-valuenow", "aria-valuemax"))
    page.evaluate("limit => { window.awaitChange(limit) }", CHANGE_SECONDS * 1000)
    page.keyboard.press("ArrowLeft" if value >= most else "ArrowRight")
    return page.evaluate("window.change")


def save_screenshot(page, file: Path) -> None:
    """An image of the whole notebook, as tall as it takes."""
    height = page.evaluate("document.querySelector('.jp-WindowedPanel-inner').scrollHeight")
    page.set_viewport_size({"width": 1280, "height": min(int(height) + 150, 16_000)})
    page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
    page.wait_for_timeout(500)  # for the page to be laid out anew
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=file)


def _wait_for_server(server: subprocess.Popen, address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:  # not listening yet
            time.sleep(0.2)
    said = log.read_text(encoding="utf-8", errors="replace")[-3000:]
    raise RuntimeError(f"JupyterLab did not start.\n{said}")
