"""The recurrent layers that tests go through, by the names of their oracles: every cell, and the GRU's variant."""

from functools import partial

import pytest

from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.nn import CELLS, GRU

KINDS = {name: cell for name, cell in CELLS.items() if name != "elman"}  # which is "rnn" by another name
KINDS["gru_before"] = partial(GRU, reset_after=False)
BOOK_KINDS = {name: KINDS[name] for name in ("rnn", "lstm", "gru", "gru_before")}  # for what does not ask for the cell

# Each pair, of the state and of the gates, is machine code of its own, which takes seconds. That a cell asks its spec
# for activations, test_without_jit.py shows; what activations do, test_activations.py and dense layers, which are
# compiled in no time.
OTHER_PAIR = ("softsign", "hard_sigmoid")
COMPILED_WITH_OTHERS = ("rnn", "gru")
ACTIVATION_PAIRS = [
    pytest.param(
        kind,
        pair,
        id="-".join((kind, *pair)),
        marks=() if pair == OTHER_PAIR and kind in COMPILED_WITH_OTHERS else pytest.mark.slow,
    )
    for kind in KINDS
    for pair in (OTHER_PAIR, *((name, name) for name in ACTIVATIONS))
    if pair == OTHER_PAIR or kind in BOOK_KINDS
]


def options_of(kind, pair):
    """The options of a layer with this pair of activations."""
    names = ("activation",) if kind == "rnn" else ("activation", "recurrent_activation")
    return dict(zip(names, pair, strict=False))
