"""The example of all architectures runs, and its table is complete."""

import re
import runpy
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "rnn_vocabulary.py"


def test_rnn_vocabulary(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), "--epochs", "1"])
    names = runpy.run_path(str(EXAMPLE), run_name="__main__")["architectures"]()
    lines = re.findall(r"^ *(\S.*?) +([\d,]+) +(\d+\.\d) +(\d+\.\d\d) *$", capsys.readouterr().out, re.MULTILINE)
    assert [name for name, *_ in lines] == list(names)
    errors = {name: float(error) for name, _, _, error in lines}
    assert errors["linear (ridge)"] < 3 < errors["last value"] < errors["the same hour of yesterday"] < 7
    assert all(error < 5 for name, error in errors.items() if name != "the same hour of yesterday")
