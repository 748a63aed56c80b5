"""Puts what the benchmarks printed into the README, between its markers. Nothing in there is written by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def kernels() -> str:
    """Sizes, cells, and how many times faster a step and a prediction are."""
    found = json.loads((RESULTS / "kernels.json").read_text())
    head = "| windows, steps, features, hidden | cell | training step | faster than PyTorch | prediction faster |"
    lines = [head, "|---|---|---|---|---|"]
    for row in found["rows"]:
        size, cell = row["windows, steps, features, hidden"], row["cell"]
        times = f"{row['step (ms)']:.2f} ms | {row['faster by']:.1f} times | {row['prediction faster by']:.1f} times"
        lines.append(f"| {size} | {cell} | {times} |")
    machine = found["machine"]
    versions = f"PyTorch {machine['torch']}, Numba {machine['numba']}"
    return "\n".join([*lines, "", f"{machine['processor']}, {machine['cores']} cores, float32; {versions}."])


def nyc_weather() -> str:
    """What the example printed, from the table on."""
    text = (RESULTS / "nyc_weather.txt").read_text()
    table = text[text.index("\n\n") :].strip("\n").split("\n\n")[0]
    return f"```\n{table}\n```"


def main() -> None:
    readme = ROOT / "README.md"
    text = readme.read_text()
    for name, made in (("kernels", kernels()), ("nyc_weather", nyc_weather())):
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        text = re.sub(f"{begin}.*?{end}", lambda _, b=begin, e=end, m=made: f"{b}\n{m}\n{e}", text, flags=re.DOTALL)
    readme.write_text(text)


if __name__ == "__main__":
    main()
