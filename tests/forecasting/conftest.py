"""Small frames that forecasters are tried on."""

import numpy as np
import pandas as pd
import pytest


def make_wide(rows=120, seed=0):
    """A weekly wave, a random walk and noise, daily."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2024-01-01", periods=rows, freq="D")
    wave = np.sin(np.arange(rows) * 2 * np.pi / 7) + 0.1 * rng.standard_normal(rows)
    return pd.DataFrame(
        {"wave": wave, "walk": rng.standard_normal(rows).cumsum(), "noise": rng.standard_normal(rows)}, index=index
    )


@pytest.fixture
def wide():
    """One series of three columns."""
    return make_wide()


@pytest.fixture
def panel():
    """Three series of different lengths, of which one starts later, with a MultiIndex."""
    parts = {"A": make_wide(100, 1), "B": make_wide(120, 2), "C": make_wide(90, 3).iloc[5:]}
    return pd.concat(parts, names=["site", "day"])
