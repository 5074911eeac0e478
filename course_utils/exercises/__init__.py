"""Checks of the exercises: one file per notebook, one function per exercise.

Open the file with the name of a notebook for its exercises, `exercise` for how one is described,
and `checking` for how an answer is checked.
"""
