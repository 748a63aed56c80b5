"""One sequence at a time: a recurrent step that carries its state, and the forecast of one window.

Kernel: compiled code alone, for the step the share of one in a sequence of 1,000. Through Python: what a user calls, a
stateful ``tsrnn.nn`` network on one row, and ``forecaster.stream().step(row)``, array in and array out. PyTorch takes
the better of its layer and its cell, on one thread, which serves it best here; outputs are compared before anything is
timed. Usage: python benchmarks/sequence.py [--quick]
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import cycle
from typing import Any

import measure
import numpy as np
import pandas as pd
from agreement import same
from ours import CELLS
from peer_pytorch import PyTorch, torch
from problem import Problem

from tsrnn import BelowNaiveWarning, RNNForecaster
from tsrnn.nn import Dense, Sequential

FEATURES, HIDDEN, WINDOW, LONG, CALLS = 14, 32, 120, 1_000, 100
TORCH_CELLS = {"LSTM": torch.nn.LSTMCell, "GRU": torch.nn.GRUCell}


def many(call: Callable[[], object]) -> Callable[[], None]:
    """CALLS calls: one is too short for a clock."""

    def calls() -> None:
        for _ in range(CALLS):
            call()

    return calls


def torch_steps(peer: PyTorch) -> dict[str, Callable[[torch.Tensor], torch.Tensor]]:
    """One step on a row, with the state carried: the layer, and the cell with the layer's weights."""
    cell = TORCH_CELLS[peer.problem.cell](FEATURES, HIDDEN)
    with torch.no_grad():
        for own, parameter in zip(cell.parameters(), peer.layer.parameters(), strict=True):
            own.copy_(parameter)
    states: dict[str, Any] = {"layer": None, "cell": None}

    def layer_step(row: torch.Tensor) -> torch.Tensor:
        y, states["layer"] = peer.layer(row[None], states["layer"])
        return y[0]

    def cell_step(row: torch.Tensor) -> torch.Tensor:
        states["cell"] = cell(row, states["cell"])
        return states["cell"][0] if peer.problem.cell == "LSTM" else states["cell"]

    return {"PyTorch's layer": layer_step, "PyTorch's cell": cell_step}


def a_step(name: str, rounds: int) -> dict[str, Any]:
    """One recurrent step of one sequence, stateful."""
    problem = Problem(name, 1, 1, FEATURES, HIDDEN)
    net = Sequential([CELLS[name](HIDDEN, stateful=True)]).build((1, FEATURES))
    peer = PyTorch(problem, [*net.get_weights(), np.zeros((HIDDEN, 1), np.float32), np.zeros(1, np.float32)], 1)
    steps = torch_steps(peer)
    row = problem.rows[:1]
    tensor = torch.tensor(row)
    for _ in range(3):
        ours = net(row[None])
        for peer_name, step in steps.items():
            same(f"A step of {name} and {peer_name}", [ours], [step(tensor).numpy()])
    long = Sequential([CELLS[name](HIDDEN)]).build((LONG, FEATURES))
    kernel = long.network.single(long.theta)
    kernel.pack()
    kernel.x[...] = np.resize(problem.rows, (LONG, FEATURES))
    calls = {"kernel": kernel.forward, "Python": many(lambda: net(row[None]))}
    calls |= {peer_name: many(lambda step=step: step(tensor)) for peer_name, step in steps.items()}
    times = measure.interleaved(calls, rounds)
    return line(f"a recurrent step, {name}({HIDDEN})", times, 1 / LONG, times.best(steps))


def a_window(name: str, rounds: int) -> dict[str, Any]:
    """The forecast of one window by a fitted network."""
    index = pd.date_range("2024-01-01", periods=500, freq="h")
    values = np.random.default_rng(0).normal(size=(500, FEATURES))
    frame = pd.DataFrame(values, index, [f"c{i}" for i in range(FEATURES)])
    forecaster = RNNForecaster(
        target="c0", cell=name.lower(), hidden_size=HIDDEN, lookback=WINDOW, horizon=1, scaler=None, max_steps=1,
        random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BelowNaiveWarning)
        forecaster.fit(frame)
    problem = Problem(name, 1, WINDOW, FEATURES, HIDDEN)
    net = Sequential([CELLS[name](HIDDEN), Dense(1)]).build((WINDOW, FEATURES))
    net.set_weights(list(forecaster.state_.model.arrays().values()))
    peer = PyTorch(problem, net.get_weights(), 1)
    kernel = net.network.single(net.theta)
    kernel.pack()
    kernel.x[...] = problem.x[0]
    kernel.forward()
    same(f"A window of {name} and PyTorch", [kernel.y[0]], [peer.predict()])
    stream, rows = forecaster.stream(), cycle(problem.rows)
    for row in problem.rows[:WINDOW]:
        forecast = stream.step(row)
    same(f"A window of {name}, streamed", [np.ravel(forecast)], [peer.predict()])
    calls = {"kernel": many(kernel.forward), "Python": many(lambda: stream.step(next(rows)))}
    times = measure.interleaved(calls | {"PyTorch": many(peer.predict)}, rounds)
    return line(f"a window of {WINDOW} by {FEATURES}, {name}({HIDDEN})", times, 1 / CALLS, "PyTorch")


def line(what: str, times: measure.Timings, share: float, peer: str) -> dict[str, Any]:
    """A line of the table; one call of the kernel stood for ``1 / share`` pieces of work."""
    shares = CALLS * share  # of the kernel's time beside that of CALLS calls
    return {
        "work": what,
        "kernel (us)": times.ms("kernel") * share * 1e3,
        "through Python (us)": times.ms("Python") / CALLS * 1e3,
        "PyTorch (us)": times.ms(peer) / CALLS * 1e3,
        "kernel, times faster": times.ratio(peer, "kernel") / shares,
        "through Python, times faster": times.ratio(peer, "Python"),
        "fastest of PyTorch": peer,
    }


def main() -> None:
    quick = measure.is_quick(__doc__)
    rounds = 3 if quick else 9
    with torch.inference_mode():
        rows = [part(name, rounds) for part in (a_step, a_window) for name in ("LSTM", "GRU")]
    for row in rows:
        measure.report(row)
    if not quick:
        measure.write("sequence", "One sequence at a time, beside PyTorch", rows)


if __name__ == "__main__":
    main()
