"""Wrong answers to exercises as parameters of a test, named after the check and the hint."""

import pytest


def wrong_answers(hints):
    """From check -> [(answer, hint)] to one (check, answer, hint) a test."""
    return [
        pytest.param(check, answer, hint, id=f"{check.__name__[6:]}-{hint}")
        for check, answers in hints.items()
        for answer, hint in answers
    ]
