"""Moments that are drawn by chance, and can be drawn again."""

import random

import pytest


def draw_moments(capsys: pytest.CaptureFixture[str], what: str, *, seed: int) -> random.Random:
    """Say what is done at them and with which seed, so that a failure can be repeated; return what draws them."""
    with capsys.disabled():
        print(f"\n{what}, seed {seed}")  # noqa: T201 - as said above
    return random.Random(seed)  # noqa: S311 - nothing secret is drawn
