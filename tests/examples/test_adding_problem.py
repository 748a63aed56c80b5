"""The example of the adding problem runs: cells with gates solve it, each better than the mean by far."""

import re
import runpy
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "adding_problem.py"


@pytest.mark.slow
def test_adding_problem(capsys):
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    out = capsys.readouterr().out
    rows = re.findall(r"^ *(rnn|lstm|gru) +(\d+) +([\d.]+) +([\d.e-]+) +([\d.e-]+) +[\d.]+$", out, re.MULTILINE)
    errors = {cell: float(test) for cell, *_, test in rows}
    assert set(errors) == {"rnn", "lstm", "gru"}
    assert errors["lstm"] < 0.01 and errors["gru"] < 0.01
    assert errors["rnn"] < 1 / 5  # it had the same chance; that it fails is no promise
