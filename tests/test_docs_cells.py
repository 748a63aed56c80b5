"""docs/cells.md: the cell is right, the lines run, the table is whole, and the check finds the error it tells of."""

import doctest
import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tsrnn.nn import CELLS, Sequential
from tsrnn.testing import check_layer

TEXT = (Path(__file__).parents[1] / "docs" / "cells.md").read_text(encoding="utf-8")
FILE, *SESSIONS = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def leaky(tmp_path, monkeypatch):
    """Makes a module of the file, as it is or with an error in it."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(right="", wrong=""):
        assert right in FILE
        (tmp_path / "leaky.py").write_text(FILE.replace(right, wrong, 1) if right else FILE, encoding="utf-8")
        return importlib.import_module("leaky")

    yield write
    sys.modules.pop("leaky", None)


@pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
def test_its_lines_run(leaky):
    leaky()
    assert len(SESSIONS) == 3
    examples = doctest.DocTestParser().get_doctest("\n".join(SESSIONS), {"__name__": "cells"}, "docs/cells.md", None, 0)
    runner = doctest.DocTestRunner()
    runner.run(examples)
    assert runner.summarize(verbose=False).failed == 0


def test_the_cell_by_hand(leaky):
    net = Sequential([leaky().Leaky(2)]).build((3, 1), random_state=1, dtype=np.float64)
    net.theta = net.theta + 0.5 * np.random.default_rng(0).standard_normal(net.theta.size)
    kernel, recurrent_kernel, bias, (p,) = net.get_weights()
    x, h = np.random.default_rng(1).standard_normal((1, 3, 1)), np.zeros((1, 2))
    for t in range(3):
        h = h + (np.tanh(x[:, t] @ kernel + h @ recurrent_kernel + bias) - h) / (1 + np.exp(-p))
    np.testing.assert_allclose(net(x), h, rtol=1e-12)


def test_the_error_that_it_tells_of_is_found(leaky):
    told = re.search(r"^```\nAssertionError: (.*?)```$", TEXT, flags=re.DOTALL | re.MULTILINE)[1]
    layer = leaky("* leak * (1 - leak)\n", "* leak\n").Leaky
    with pytest.raises(AssertionError) as caught:
        check_layer(lambda: layer(5))
    number = re.compile(r"\d+\.\d+(?:e[+-]\d+)?")  # last digits differ from processor to processor
    found, expected = str(caught.value), " ".join(told.split())
    assert number.sub("#", found) == number.sub("#", expected)
    np.testing.assert_allclose(*(np.array(number.findall(text), float) for text in (found, expected)), rtol=1e-5)


@pytest.mark.parametrize(
    ("right", "wrong", "where"),
    [
        ("d_h * (n - h)", "d_h * (h - n)", r"leaky_0.own\[0, \d\]"),
        # Each is compiled.
        pytest.param("(1 - leak),)", "(1 - leak) * (1 - leak),)", "x", marks=pytest.mark.slow),
        pytest.param("d_h * leak * self", "d_h * self", "x", marks=pytest.mark.slow),
        pytest.param("self.activation.slope(n)", "self.activation.slope(h)", "x", marks=pytest.mark.slow),
    ],
)
def test_other_errors_are_found(leaky, right, wrong, where):
    layer = leaky(right, wrong).Leaky
    with pytest.raises(AssertionError, match=f"^gradient of {where}: backward gives"):
        check_layer(lambda: layer(5))


def test_its_table_has_every_cell():
    rows = re.findall(r"^\| (`\w+`.*?) \| (`\"\w+\"`.*?) \|", TEXT, flags=re.MULTILINE)
    names = {name for _, column in rows for name in re.findall(r'"(\w+)"', column)}
    layers = {layer for column, _ in rows for layer in re.findall(r"`(\w+)`", column)}
    assert names == set(CELLS)
    assert layers == {cell.__name__ for cell in CELLS.values()} | {"Elman"}
