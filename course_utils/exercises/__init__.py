"""Checks of the exercises: one file per notebook, one function per exercise.

Open the file with the name of a notebook for its exercises, `exercise` for how one is described,
and `checking` for how an answer is checked. A notebook imports the file of its lesson as
`exercises`, and `exercises.progress()` shows what is solved.
"""

import sys
from functools import partial
from types import ModuleType


class _Exercises(ModuleType):
    """This package: each file with checks in it gets `progress` when Python enters it here."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if isinstance(value, ModuleType) and any(one.startswith("check_") for one in vars(value)):
            from .solved import progress

            value.progress = partial(progress, value)


sys.modules[__name__].__class__ = _Exercises
