"""The recurrent layers that tests go through, by the names of their oracles: every cell, and the GRU's variant."""

from functools import partial

import pytest

from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.nn import CELLS, GRU

KINDS = {name: cell for name, cell in CELLS.items() if name != "elman"}  # which is "rnn" by another name
KINDS["gru_before"] = partial(GRU, reset_after=False)
BOOK_KINDS = {name: KINDS[name] for name in ("rnn", "lstm", "gru", "gru_before")}  # for what does not ask for the cell

# Each pair is machine code of its own, which takes seconds. That a cell asks its spec for activations, one pair shows;
# what activations do, one cell.
ACTIVATION_PAIRS = [
    pytest.param(kind, name, marks=() if kind == "gru" or name == "softsign" else pytest.mark.slow)
    for kind in KINDS
    for name in ACTIVATIONS
    if kind in BOOK_KINDS or name == "softsign"
]
