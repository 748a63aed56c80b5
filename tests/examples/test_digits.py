"""The example of digits runs, and says what it should."""

import re
import runpy
from pathlib import Path

import numpy as np

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits.py"


def test_digits(capsys):
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    out = capsys.readouterr().out
    rows = [tuple(map(float, row)) for row in re.findall(r"^(\d) +(0\.\d+) +(0\.\d+) +(\d+)$", out, re.MULTILINE)]
    assert [row[0] for row in rows] == [0, 1, 2, 3, 4]
    linear, lstm = np.median(np.array(rows)[:, 1:3], axis=0)
    assert lstm > 0.97
    assert lstm > linear > 0.9
    assert f"Median: {linear:.4f} and {lstm:.4f}" in out
