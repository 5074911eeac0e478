"""Answers to the exercises, one file a lesson: `RIGHT` and `WRONG`, by the name of the check.

`tests/test_exercises.py` hands each of them in. The mistakes of an `Exercise` are tested there
too and need not be repeated here.
"""

import importlib
import re
from importlib.util import find_spec

import torch

from course_utils.authoring.notebooks import NOTEBOOKS, read
from course_utils.authoring.variants import exercises


def solutions() -> dict:
    """The solution of every exercise: {"lesson-exercise": (its check, the function)}."""
    found = {}
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        lesson = path.stem.split("_", 1)[1]
        if not find_spec(f"course_utils.exercises.{lesson}"):
            continue  # said by tests/test_exercises.py, and no reason to try no other lesson
        module = importlib.import_module(f"course_utils.exercises.{lesson}")
        for _, _, call, solution in exercises(read(path)):
            scope = {"torch": torch}
            exec(solution, scope)
            name, answer = re.fullmatch(r"exercises\.check_(\w+)\((\w+)\)", call.strip()).groups()
            found[f"{lesson}-{name}"] = getattr(module, f"check_{name}"), scope[answer]
    return found
