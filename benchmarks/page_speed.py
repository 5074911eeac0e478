"""The live demos as one meets them: bytes, time to the first image, and time of a slider's step.

A headless Chromium opens pages from a server on this machine, with an empty cache and a network
that it slows down to 10 Mbit/s with 20 ms of latency.

    python benchmarks/page_speed.py [--site build/site]
    python benchmarks/page_speed.py --mbit 50 --print  (only print, for another network)
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "benchmarks" / "results" / "page_speed.md"
LATENCY_MS, STEPS, OPENINGS = 20, 60, 3


def slowed(opened, mbit: float):
    """A page with an empty cache on a slow network, and the bytes that come to it, in a list."""
    page = opened.new_context(viewport={"width": 1280, "height": 720}).new_page()
    network, received = page.context.new_cdp_session(page), []
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    speed = mbit * 1e6 / 8
    conditions = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": speed}
    network.send("Network.emulateNetworkConditions", conditions | {"uploadThroughput": speed})
    network.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    return page, received


# When the first image of a demo was drawn, in milliseconds after the page began to open.
FIRST_IMAGE = """() => {
    const [mark] = performance.getEntriesByName("first image");
    return performance.timeOrigin + mark.startTime - window.top.performance.timeOrigin;
}"""


def opening(opened, address: str, mbit: float, name: str | None = None) -> tuple[float, float]:
    """Seconds to the first image, and megabytes received until then.

    Args:
        address: of a page that is a demo, or has one in a frame.
        name: of the demo in the frame.
    """
    page, received = slowed(opened, mbit)
    page.goto(address, wait_until="commit")
    if name is None:
        page.wait_for_selector("html[data-ready=yes]")
        frame = page.main_frame
    else:
        inside = page.frame_locator(f"iframe[src*='{name}/']").first
        inside.locator("html[data-ready=yes]").wait_for()
        frame = next(one for one in page.frames if f"/{name}/" in one.url)
    until, seconds = sum(received) / 1e6, frame.evaluate(FIRST_IMAGE) / 1e3
    page.context.close()
    return seconds, until


def measured(folder: Path, site: Path | None, mbit: float) -> list[str]:
    """The lines of the page of results."""
    from course_utils.authoring import demos
    from tests.demo_pages import browser, served

    first, lines = demos.listed()[0]["name"], []
    places = {f"the first demo ({first}) on a page of its own": (f"{first}/index.html", None)}
    places["the page Play"] = ("index.html", first)
    with served(folder) as address, browser() as opened:
        lines += [
            "| what is opened | seconds to the first image | MB until then |",
            "|---|--:|--:|",
        ]
        for what, (path, name) in places.items():
            lines.append(row(opened, what, address + path, mbit, name))
        lines += site_rows(opened, site, mbit, first) if site else []
        lines += ["", "| demo | a step of its slider, ms (median) | slowest of 60 | MB in all |"]
        lines.append("|---|--:|--:|--:|")
        for demo in demos.listed():
            lines.append(steps_of(opened, address, folder, demo["name"]))
        lines += ["", *passes(opened, address), "", *trainings(opened, address)]
    return lines


def row(opened, what: str, address: str, mbit: float, name: str | None) -> str:
    found = [opening(opened, address, mbit, name) for _ in range(OPENINGS)]
    seconds, megabytes = (statistics.median(column) for column in zip(*found))
    return f"| {what} | {seconds:.2f} | {megabytes:.2f} |"


def site_rows(opened, site: Path, mbit: float, first: str) -> list[str]:
    from tests.demo_pages import served

    with served(site) as address:
        return [row(opened, "the front page of the site", f"{address}index.html", mbit, first)]


LATER = {  # what a demo draws only after its first image, with a file that it loads for it
    "diffusion": "#sample[data-complete]",
    "style": "#styled[data-complete]",
}


def steps_of(opened, address: str, folder: Path, name: str) -> str:
    """A demo's row: what one move of a slider takes from its event to the new pixels."""
    from tests.demo_pages import demo_page

    with demo_page(opened, address, name) as page:
        if name in LATER:
            page.wait_for_selector(LATER[name], timeout=120_000)
        times = moves(page, "step") if page.evaluate("typeof demo.step") == "function" else []
        files = {url for url in page.requests if url.startswith(address)}
    weight = sum((folder / url[len(address) :].split("?")[0]).stat().st_size for url in files) / 1e6
    median, slowest = (statistics.median(times), max(times)) if times else (0, 0)
    cells = f"{median:.1f} | {slowest:.1f}" if times else "– | –"
    return f"| {name} | {cells} | {weight:.2f} |"


def moves(page, which: str) -> list[float]:
    """Milliseconds of as many moves of a slider as `STEPS`."""
    return page.evaluate(f"Array.from({{ length: {STEPS} }}, (_, k) => demo.{which}(k))")


# From the choice of another painting to the new pixels: nothing of it is computed ahead.
CHOICE = """async () => {
    const drawn = new Promise((done) => new MutationObserver(done)
        .observe(document.getElementById("styled"), { attributeFilter: ["data-shown"] }));
    const start = performance.now();
    document.querySelector("#styles [aria-pressed=false]").click();
    await drawn;
    return performance.now() - start;
}"""


def passes(opened, address: str) -> list[str]:
    """Style transfer at two sizes: what is kept and what the network has to compute first."""
    from tests.demo_pages import demo_page

    lines = [
        "| `style`, pixels | a step of Mixture, computed ahead, ms (median; slowest of 60) "
        "| a step of Strength | first image of another painting: a pass of the network, ms "
        "(median; slowest of 5) | all 21 mixtures computed, s | MB kept |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    with demo_page(opened, address, "style") as page:
        for side in (192, 384):
            page.wait_for_selector(LATER["style"], timeout=120_000)
            page.get_by_label("Longest side").select_option(str(side))
            first, complete = [], []
            for _ in range(5):
                page.wait_for_selector(LATER["style"], timeout=120_000)
                began = time.perf_counter()
                first.append(page.evaluate(CHOICE))
                page.wait_for_selector(LATER["style"], timeout=120_000)
                complete.append(time.perf_counter() - began)
            times = [moves(page, "step"), moves(page, "fade"), first]
            cells = [f"{statistics.median(one):.1f}; {max(one):.1f}" for one in times]
            width, height = page.evaluate("[styled.width, styled.height]")
            kept = 21 * 4 * width * height / 1e6
            cells += [f"{statistics.median(complete):.1f}", f"{kept:.1f}"]
            lines.append(f"| {width} × {height} | {' | '.join(cells)} |")
    return lines


def trainings(opened, address: str, seconds: float = 6.0) -> list[str]:
    """How many updates a second both live GANs make, side by side."""
    from tests.demo_pages import demo_page

    with demo_page(opened, address, "ring-gan") as page:
        page.get_by_role("button", name="Train").click()
        page.wait_for_function("demo.facts().every(fact => fact.step > 5)")
        asked = "demo.facts().map(fact => fact.step)"
        before, began = page.evaluate(asked), time.perf_counter()
        page.wait_for_timeout(1e3 * seconds)
        after, took = page.evaluate(asked), time.perf_counter() - began
    rates = [(b - a) / took for a, b in zip(before, after)]
    return [f"Live GANs, side by side: {rates[0]:.0f} and {rates[1]:.0f} updates a second."]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--site", type=Path, help="a built site, whose front page is opened too")
    arguments.add_argument("--mbit", type=float, default=10.0)
    arguments.add_argument("--print", action="store_true", help="write no page of results")
    chosen = arguments.parse_args()

    from course_utils.authoring import demos

    with tempfile.TemporaryDirectory() as name:
        demos.build(Path(name))
        lines = measured(Path(name), chosen.site, chosen.mbit)
    text = (
        "# The live demos: weight and speed\n\nWritten by `benchmarks/page_speed.py`: headless "
        f"Chromium, empty cache, {chosen.mbit:g} Mbit/s and {LATENCY_MS} ms of latency simulated, "
        f"medians of {OPENINGS} openings. Steps are measured without the slow network, from the "
        "event to the new pixels on the canvas; that of `style` shows a mixture of two paintings "
        "that was computed ahead, in a thread of its own. What the network takes for an image that "
        "was not is in the table after it.\n\n"
    )
    text += "\n".join(lines) + "\n"
    print(text)
    if not chosen.print:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
