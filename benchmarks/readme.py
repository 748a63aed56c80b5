"""Puts what the benchmarks printed into README.md and docs/performance.md, between markers; none of it by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from problem import GATES

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SIZE = "windows, steps, features, hidden"


def found(name: str) -> dict[str, Any]:
    """What ``benchmarks/NAME.py`` wrote: ``machine`` and ``rows``."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def speed() -> str:
    """How many times faster than the peers, and how near to the machine's limit: a line for each size, of all cells."""
    head = f"| {SIZE} | milliseconds | faster than PyTorch | faster than Keras | share of peak |"
    lines = [f"{head}\n|---|---|---|---|---|"]
    lines += [_cells(size, rows, "step (ms)") for size, rows in _sizes("training").items()]
    lines += [_cells(f"{size}, prediction", rows, "prediction (ms)") for size, rows in _sizes("prediction").items()]
    for size, rows in _sizes("dropout").items():
        lines.append(_cells(f"{size}, recurrent dropout 0.5", rows, "step with dropout (ms)"))
    return "\n".join([*lines, "", _machine()])


def _sizes(name: str) -> dict[str, dict[str, Any]]:
    """size -> cell -> row"""
    sizes: dict[str, dict[str, Any]] = {}
    for row in found(name)["rows"]:
        sizes.setdefault(row[SIZE], {})[row["cell"]] = row
    return sizes


def _cells(what: str, rows: dict[str, Any], milliseconds: str) -> str:
    """A line of the table: SimpleRNN / LSTM / GRU; nothing where a peer has no such thing."""

    def each(key: str, form: str) -> str:
        return " / ".join(format(rows[cell][key], form) for cell in GATES if key in rows[cell])

    columns = [
        each(milliseconds, ".3g"),
        each("times faster than PyTorch", ".1f"),
        each("times faster than Keras", ".1f"),
        each("share of peak", ".0%"),
    ]
    return f"| {what} | " + " | ".join(columns) + " |"


def _machine() -> str:
    machine = found("training")["machine"]
    names = {"torch": "PyTorch", "tensorflow": "TensorFlow", "keras": "Keras", "numba": "Numba"}
    versions = ", ".join(f"{name} {machine[key]}" for key, name in names.items())
    peak = max(row["peak (GFLOP/s)"] for row in found("training")["rows"])
    return f"{machine['processor']}, {machine['cores']} cores, float32, peak {peak:.0f} GFLOP/s; {versions}."


def everyday() -> str:
    """What a user waits for."""
    lines = ["| | tsrnn | PyTorch | Keras |\n|---|---|---|---|", *_jena(), *_cold_start(), *_sequence()]
    threads = " / ".join(f"{row['times faster']:.2f}" for row in found("threads")["rows"])
    longest = found("memory")["rows"][-1]
    size = f"{longest['rows']:,} rows of 14 columns ({longest['float32 series (MB)']:.0f} MB in float32)"
    lines.append(f"| training on two threads, {' / '.join(GATES)} | {threads} times faster than on one | | |")
    lines.append(f"| `fit` on {size}: memory beside the frame | {longest['peak of fit (MB)']:.0f} MB | | |")
    return "\n".join(lines)


def _jena() -> list[str]:
    row = found("jena")["rows"][0]
    peers = [
        f"{row[f'{peer} (s)']:.1f} s, {row[f'times faster than {peer}']:.1f} times as long"
        for peer in ("PyTorch", "Keras")
    ]
    what = "epoch of the Jena weather: 500 steps of 128 windows of 240 points, GRU(32)"
    return [f"| {what} | {row['500 steps (s)']:.1f} s | {' | '.join(peers)} |"]


def _cold_start() -> list[str]:
    seconds = {row["what"]: f"{row['seconds']:.2f} s" for row in found("cold_start")["rows"]}
    peers = [seconds[f"{peer}: import and first step"] for peer in ("PyTorch", "Keras")]
    steps = " | ".join(f"{shown} to import and make one step" for shown in peers)
    return [
        f"| `import tsrnn` | {seconds['import tsrnn']} | | |",
        f"| fresh process: import, read a frame, fit one small epoch, predict | {seconds['ours, with warm cache']} "
        f"(the first time ever {seconds['ours, with empty cache']}) | {steps} |",
    ]


def _sequence() -> list[str]:
    return [
        f"| {row['work']} | {row['through Python (us)']:.3g} us (kernel {row['kernel (us)']:.2g}) "
        f"| {row['PyTorch (us)']:.3g} us | |"
        for row in found("sequence")["rows"]
    ]


def nyc_weather() -> str:
    """What the example printed, from the table on."""
    text = (RESULTS / "nyc_weather.txt").read_text()
    table = text[text.index("\n\n") :].strip("\n").split("\n\n")[0]
    return f"```\n{table}\n```"


def table(name: str) -> str:
    """The whole table of ``results/NAME.md``."""
    lines = (RESULTS / f"{name}.md").read_text().splitlines()
    return "\n".join(line for line in lines if line.startswith("|"))


def fill(document: str, made: dict[str, str]) -> None:
    """Replace what stands between the markers of each name."""
    path = ROOT / document
    text = path.read_text()
    for name, lines in made.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        if begin not in text or end not in text:
            raise ValueError(f"{document} must have the markers {begin} and {end} around the table to be replaced.")
        new = f"{begin}\n{lines}\n{end}"
        text = re.sub(f"{begin}.*?{end}", lambda _, new=new: new, text, flags=re.DOTALL)
    path.write_text(text)


def main() -> None:
    fill("README.md", {"speed": speed(), "everyday": everyday(), "nyc_weather": nyc_weather()})
    fill("docs/performance.md", {name: table(name) for name in ("parts", "processors")})


if __name__ == "__main__":
    main()
