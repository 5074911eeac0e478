"""Everything about the package stands in pyproject.toml, but for what this adds to a wheel.

What ships beside the package in a clone (data/weights, data/tables, data/images) is copied into
it, so that it is also there where the package was installed alone: `pip install .`
"""

from pathlib import Path
from shutil import copytree

from setuptools import setup
from setuptools.command.build_py import build_py


class WithWhatShips(build_py):
    def run(self):
        super().run()
        if not self.editable_mode:  # there, the clone's own are found
            for kind in ("weights", "tables", "images"):
                packed = Path(self.build_lib, "course_utils", "_data", kind)
                copytree(Path("data", kind), packed, dirs_exist_ok=True)


setup(cmdclass={"build_py": WithWhatShips})
