"""The live demos of the course's web page: their pages, and the page "Play" with all of them.

Small networks are written as safetensors in half precision, exactly as they ship, with the list of
their layers in the header; `site/demos/shared/nn.js` runs them. The network of style transfer,
which has two hundred times as many multiplications, is exported to ONNX and run by onnxruntime-web.

    python -m course_utils.authoring.demos OUT
"""

from __future__ import annotations

import html
import json
import re
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

import torch

from .demo_models import EXPORTS
from .notebooks import ROOT, NotebookError

SOURCES = ROOT / "site" / "demos"
LESSONS = "../../notebooks/"  # where the pages of the lessons lie, seen from a demo
HOW_IT_WORKS = "<!-- how it works -->"


def listed() -> list[dict]:
    """The demos: name, title, lesson (the stem of its notebook), section and height in pixels.

    Example:
        >>> listed()[0]["lesson"]
        '03_vae_latent_space'
    """
    return json.loads((SOURCES / "demos.json").read_text(encoding="utf-8"))


def anchor(section: str) -> str:
    """The name of a section in its page's address, as Sphinx makes it of the heading.

    Example:
        >>> anchor("7. The two-dimensional latent space")
        'the-two-dimensional-latent-space'
    """
    return re.sub(r"^[^a-z]+|-+$", "", re.sub(r"[^a-z0-9]+", "-", section.lower()))


def how_it_works(demo: dict) -> str:
    """The link from a demo to the section of the lesson that explains it."""
    notebook = (ROOT / "notebooks" / f"{demo['lesson']}.ipynb").read_text(encoding="utf-8")
    there = f"## {demo['section']}" in notebook
    address = f"{LESSONS}{demo['lesson']}.html" + (f"#{anchor(demo['section'])}" if there else "")
    lesson, section = demo["lesson"].split("_")[0], demo["section"].split(".")[0]
    where = f"lesson {lesson}, section {section}" if section.isdigit() else f"lesson {lesson}"
    return f'<a href="{html.escape(address)}" target="_top">How it works: {where}</a>'


def build(out: Path, names: Collection[str] | None = None) -> None:
    """Write all demos to a folder: their pages, their models, and the page "Play" with all of them.

    Args:
        out: the folder; it is made if need be, and files of the same names are replaced.
        names: only these demos.

    Raises:
        NotebookError: a listed demo has no page, a layer is not known, or a package is missing.

    Example:
        >>> build(tmp_path / "demos")  # doctest: +SKIP
    """
    out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(SOURCES / "shared", out / "shared", dirs_exist_ok=True)
    shutil.copy(SOURCES / "demos.json", out)
    demos = [demo for demo in listed() if names is None or demo["name"] in names]
    for demo in demos:
        source, folder = SOURCES / demo["name"], out / demo["name"]
        if not (source / "index.html").is_file():
            raise NotebookError(f"{source} has no index.html; write it, or take it off demos.json.")
        shutil.copytree(source, folder, dirs_exist_ok=True)
        page = (source / "index.html").read_text(encoding="utf-8")
        page = page.replace(HOW_IT_WORKS, how_it_works(demo))
        (folder / "index.html").write_text(page, encoding="utf-8")
        if demo["name"] in EXPORTS:
            with torch.no_grad():
                EXPORTS[demo["name"]](folder)
    frames = "\n".join(_frame(demo) for demo in demos)
    page = (SOURCES / "index.html").read_text(encoding="utf-8").replace("<!-- demos -->", frames)
    (out / "index.html").write_text(page, encoding="utf-8")


def _frame(demo: dict) -> str:
    """A demo in a frame, which a browser loads when it is scrolled to."""
    name, title = html.escape(demo["name"]), html.escape(demo["title"])
    return (
        f'<section id="{name}"><iframe src="{name}/index.html" title="{title}" loading="lazy" '
        f'height="{demo["height"]}"></iframe>'
        f'<p><a href="{name}/index.html">{title}, on a page of its own</a></p></section>'
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where to: python -m course_utils.authoring.demos OUT")
    build(Path(sys.argv[1]))
