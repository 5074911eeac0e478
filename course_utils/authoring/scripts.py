"""The scripts of others that pages load, fetched by npm as site/package-lock.json says."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from .notebooks import NotebookError

# The parts of MathJax that pages load which set formulas as SVG: the program and the letters.
MATHJAX_SVG = {
    "mathjax/tex-svg.js": "tex-svg.js",
    "@mathjax/mathjax-newcm-font/svg/dynamic": "fonts/mathjax-newcm-font/svg/dynamic",
}


def fetched_scripts(site: Path) -> Path:
    """The folder of npm's packages, as the lock file says; they are fetched where it is not so.

    Raises:
        NotebookError: npm is not there, or cannot fetch them.
    """
    folder = site / "node_modules"
    wanted = _versions(site / "package-lock.json")
    if _versions(folder / ".package-lock.json") == wanted:
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise NotebookError(
            "The site's formulas are set by MathJax, which npm fetches: install Node.js 20 or "
            "newer (https://nodejs.org), which has npm, and try again."
        )
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    ran = subprocess.run(command, cwd=site, capture_output=True, encoding="utf-8")
    if ran.returncode:
        raise NotebookError(f"npm could not fetch the site's scripts.\n{ran.stderr.strip()}")
    return folder


def _versions(lock: Path) -> dict[str, str]:
    if not lock.is_file():
        return {}
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {name: package["version"] for name, package in packages.items() if name}


def copy_parts(modules: Path, parts: Mapping[str, str], folder: Path) -> None:
    """Copy files and folders of npm's packages.

    Args:
        modules: the folder of the packages.
        parts: path in it -> path in `folder`.
        folder: where to; what is there already is replaced.
    """
    for part, name in parts.items():
        source, target = modules / part, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)
