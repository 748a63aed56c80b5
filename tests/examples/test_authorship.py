"""The example of docstrings runs, and tells most of them apart."""

import re
import runpy
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "authorship.py"


@pytest.mark.slow
def test_authorship(capsys):
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    out = capsys.readouterr().out
    found = dict(re.findall(r"^(bag of characters|GRU) +(0\.\d+)$", out, re.MULTILINE))
    assert float(found["GRU"]) > 0.7
    assert float(found["GRU"]) > float(found["bag of characters"]) > 0.4
    assert len(re.findall(r"^(numpy|pandas|scikit-learn|scipy)( +\d+){4}$", out, re.MULTILINE)) == 4


def test_names_of_packages():
    """They are gone, whatever their case."""
    example = runpy.run_path(str(EXAMPLE))
    text = "NumPy arrays: np.array, pandas.DataFrame, scikit-learn, SKLEARN, scipy; spam"
    assert example["NAMES"].sub("", text) == " arrays: .array, .DataFrame, , , ; spam"
