"""Checks of the exercises: one file a notebook, one function an exercise."""
