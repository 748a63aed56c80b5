"""The example of docstrings runs, and tells most of them apart."""

import re
import runpy
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "authorship.py"


def run(capsys, monkeypatch, *arguments):
    """What it prints, and the two accuracies."""
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), *arguments])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    out = capsys.readouterr().out
    found = dict(re.findall(r"^(bag of characters|GRU) +(0\.\d+)$", out, re.MULTILINE))
    return out, float(found["GRU"]), float(found["bag of characters"])


def test_a_few_texts(capsys, monkeypatch):
    _, network, linear = run(capsys, monkeypatch, "--texts", "400", "--epochs", "6")
    assert network > 0.5 and linear > 0.5  # one in four by chance


@pytest.mark.slow
def test_authorship(capsys, monkeypatch):
    out, network, linear = run(capsys, monkeypatch)
    assert network > 0.7
    assert network > linear > 0.4
    assert len(re.findall(r"^(numpy|pandas|scikit-learn|scipy)( +\d+){4}$", out, re.MULTILINE)) == 4


def test_names_of_packages():
    """They are gone, whatever their case."""
    example = runpy.run_path(str(EXAMPLE))
    text = "NumPy arrays: np.array, pandas.DataFrame, scikit-learn, SKLEARN, scipy; spam"
    assert example["NAMES"].sub("", text) == " arrays: .array, .DataFrame, , , ; spam"
