"""Answers to the exercises, one file a lesson: `RIGHT` and `WRONG`, by the name of the check.

`tests/test_exercises.py` hands each of them in. The mistakes of an `Exercise` are tested there
too and need not be repeated here.
"""
