"""Examples run, and show what they say."""

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def lines_of(name, *arguments):
    """What an example prints."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def test_stateful():
    """Only who keeps the state can know whether the machine runs."""
    shares = {line.rsplit(maxsplit=2)[0]: float(line.split()[-2]) for line in lines_of("stateful.py")[1:]}
    assert list(shares) == ["one answer", "stateless", "stateful"]
    assert shares["stateful"] > 99
    assert shares["stateless"] < 65
