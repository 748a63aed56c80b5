"""Compiled code: when it is used again, when it must not be, and how much of it there is."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from numba import config
from numba.core.compiler_lock import global_compiler_lock
from numba.core.unsafe.refcount import get_refcount

import tsrnn
from tsrnn import RNNForecaster
from tsrnn._jit import Spec, kernel, prepare
from tsrnn.nn import recurrent
from tsrnn.nn.cells.gru import GRUCell
from tsrnn.nn.cells.lstm import LSTMCell

pytestmark = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")

PACKAGE = Path(tsrnn.__file__).parent


def stats(dispatcher):
    """(loaded from the cache, compiled)"""
    return sum(dispatcher.stats.cache_hits.values()), sum(dispatcher.stats.cache_misses.values())


# What the code depends on


def load_module(path, source):
    path.write_text(source)
    found = importlib.util.spec_from_file_location(path.stem, path)
    sys.modules[path.stem] = module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


USERS_KERNEL = """
from tsrnn._jit import helper, kernel

@helper
def change(x):
    return x + 1

@kernel
def run(x):
    return change(x)
"""


def test_a_users_kernel_sees_an_edit_of_its_helper(tmp_path, monkeypatch):
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path = tmp_path / "users_kernel.py"
    assert load_module(path, USERS_KERNEL).run(3) == 4
    same = load_module(path, USERS_KERNEL).run
    assert same(3) == 4
    assert stats(same) == (1, 0)
    assert load_module(path, USERS_KERNEL.replace("x + 1", "x - 1")).run(3) == 2


def test_closures_are_refused():
    factor = 3

    def times(x):
        return factor * x

    with pytest.raises(TypeError, match="takes functions at the top of a module; .*times closes over variables"):
        kernel(times)


class _Held(NamedTuple):
    numbers: np.ndarray


class Held(Spec, _Held):
    """A spec with an array."""

    __slots__ = ()


@kernel
def references(spec):
    total = 0.0
    for i in range(spec.numbers.size):
        total += spec.numbers[i]
    return get_refcount(spec.numbers), total


def test_kernels_give_back_no_more_references_than_they_took():
    """One is the caller's; without it the array would be freed while it is in use."""
    assert references(Held(np.ones(3))) == (1, 3)


def in_a_notebook(source):
    """The class that the source makes where there is no file."""
    space = {"Spec": Spec, "__name__": "no_such_module"}
    exec(source, space)
    return space["Mine"]


def test_specs_without_a_file_are_told_apart_by_their_code():
    sources = [
        "class Mine(Spec):\n    GATES = 'a b'\n    def f(self, x): return x + 1",
        "class Mine(Spec):\n    GATES = 'b a'\n    def f(self, x): return x + 1",
        "class Mine(Spec):\n    GATES = 'a b'\n    def f(self, x): return x + 2",
        "class Mine(Spec):\n    GATES = 'a b'\n    def f(self, x): return abs(x) + 1",
        "class Base(Spec):\n    def f(self, x): return x\nclass Mine(Base):\n    pass",
        "class Base(Spec):\n    def f(self, x): return -x\nclass Mine(Base):\n    pass",
    ]
    digests = [in_a_notebook(source).DIGEST for source in sources]
    assert len(set(digests)) == len(sources)
    assert digests == [in_a_notebook(source).DIGEST for source in sources]


# Calls that are made for ever the same


@kernel
def add_scaled(x, factor, out):
    for i in range(x.size):
        out[i] += factor * x[i]


def test_a_prepared_call_reads_and_writes_its_arrays():
    x, out = np.array([1.0, 2.0]), np.zeros(2)
    call = prepare(add_scaled, x, 3, out)
    call()
    x[0] = 10
    call()
    np.testing.assert_array_equal(out, [33, 12])


def test_a_prepared_call_shares_its_machine_code_with_ordinary_ones():
    x, out = np.ones(2, np.float32), np.zeros(2, np.float32)
    before = len(add_scaled.signatures)
    prepare(add_scaled, x, 3, out)()
    add_scaled(x, 3, out)
    prepare(add_scaled, out, 4, x)()
    assert len(add_scaled.signatures) == before + 1


# From process to process

PASS = """
import json, sys
import numpy as np
from tsrnn.nn import Sequential, SimpleRNN
from tsrnn.nn.recurrent import forward

net = Sequential([SimpleRNN(3)]).build((1, 2), random_state=0)
net.theta = np.linspace(-0.3, 0.4, net.theta.size)
y = [net(np.full((2, 1, 2), x)).ravel().tolist() for x in (1.0, 2.0, 3.0)]
print(json.dumps([y, sum(forward.stats.cache_hits.values()), sum(forward.stats.cache_misses.values())]))
"""


def start(script, package, cache):
    environment = os.environ | {"TSRNN_CACHE_DIR": str(cache), "PYTHONPATH": str(package.parent)}
    return subprocess.Popen([sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, text=True)


def finish(process):
    """Results, how often code was loaded, how often it was compiled."""
    out, _ = process.communicate()
    assert process.returncode == 0
    y, hits, misses = json.loads(out)
    return np.array(y), hits, misses


def run(script, package, cache):
    return finish(start(script, package, cache))


def edit(path, old, new):
    source = path.read_text()
    assert source.count(old) == 1
    path.write_text(source.replace(old, new))
    return source


def test_processes_share_code_until_the_source_changes(tmp_path):
    script, cache, package = tmp_path / "script.py", tmp_path / "cache", tmp_path / "copy" / "tsrnn"
    script.write_text(PASS)
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))

    # Two at once, from an empty folder: neither disturbs the other, and what they leave is whole.
    first, second = (finish(process) for process in [start(script, package, cache) for _ in range(2)])
    np.testing.assert_array_equal(first[0], second[0])
    assert first[1] + first[2] == second[1] + second[2] == 1
    assert not list(cache.glob("*.part"))

    y, hits, misses = run(script, package, cache)
    np.testing.assert_array_equal(y, first[0])
    assert (hits, misses) == (1, 0)

    helper = package / "kernels" / "simd" / "functions.py"
    before = edit(helper, "over = builder.fmul(x, _poly", "over = builder.fmul(builder.fadd(x, x), _poly")
    edited, _, misses = run(script, package, cache)
    np.testing.assert_allclose(edited, 2 * y, rtol=1e-6)
    assert misses == 1

    edit(package / "nn" / "cells" / "simple.py", "return (h,), (h,)", "return (3 * h,), (h,)")
    np.testing.assert_allclose(run(script, package, cache)[0], 6 * y, rtol=1e-6)

    helper.write_text(before)
    np.testing.assert_allclose(run(script, package, cache)[0], 3 * y, rtol=1e-6)


OWN_CELL = """
from dataclasses import dataclass
from tsrnn.kernels.simd import tanh
from tsrnn.nn.cells.cell import Cell
from tsrnn.nn.layers.recurrent import Recurrent

class OwnCell(Cell):
    __slots__ = ()

    def forward(self, gates, state):
        h = tanh(gates[0])
        return (h,), (h,)

@dataclass(frozen=True)
class SimpleRNN(Recurrent):
    cell = OwnCell
"""


ONE_SEQUENCE = PASS.replace("recurrent import forward", "single import forward_single as forward").replace(
    "(2, 1", "(1, 1"
)


@pytest.mark.parametrize("program", [PASS, ONE_SEQUENCE], ids=["tiles", "one sequence"])
def test_a_cell_of_a_script_is_loaded_once(tmp_path, program):
    """The class is of ``__main__``: pickled code must find it again."""
    script, cache = tmp_path / "script.py", tmp_path / "cache"
    script.write_text(
        program.replace("from tsrnn.nn import Sequential, SimpleRNN", f"from tsrnn.nn import Sequential{OWN_CELL}")
    )
    y, *counts = run(script, PACKAGE, cache)
    assert counts == [0, 1]
    again, *counts = run(script, PACKAGE, cache)
    assert counts == [1, 0]  # not at each of three calls
    np.testing.assert_array_equal(again, y)


# How much is compiled


def signatures(dispatcher, cell):
    """Those in float32 with the usual activations, which are all that forecasters ask for."""
    found = [signature for signature in dispatcher.signatures if signature[0].instance_class is cell]
    return [s for s in found if str(s[2][0].dtype) == "float32" and "Tanh" in s[0].name and "Sigmoid" in s[0].name]


@pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
def test_one_signature_serves_all_sizes():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((120, 3)), columns=list("abc"))
    common = {"lookback": 6, "horizon": 2, "max_epochs": 1, "random_state": 0}
    for options in (
        {"cell": "gru", "hidden_size": 3, "batch_size": 8},
        {"cell": "gru", "hidden_size": 17, "batch_size": 64, "n_layers": 2, "instance_norm": "last"},
        {"cell": "gru", "hidden_size": 4, "dropout": 0.1, "recurrent_dropout": 0.2, "target": "a"},
        {"cell": "lstm", "hidden_size": 5},
        {"cell": "lstm", "hidden_size": 9, "batch_size": 33, "n_layers": 2},
    ):
        RNNForecaster(**common, **options).fit(frame).predict()
    for cell in (GRUCell, LSTMCell):
        assert len(signatures(recurrent.forward, cell)) == 1
        assert len(signatures(recurrent.backward, cell)) == 1


def test_a_prepared_call_does_not_wait_for_the_compiler():
    """Somebody may compile for seconds, and in a process that was forked meanwhile the lock is never given back."""
    x, out = np.ones(3), np.zeros(3)
    prepare(add_scaled, x, 3, out)
    held, done = threading.Event(), threading.Event()

    def compile_something() -> None:
        with global_compiler_lock:
            held.set()
            done.wait(30)

    other = threading.Thread(target=compile_something)
    other.start()
    try:
        assert held.wait(30)
        worker = threading.Thread(target=lambda: prepare(add_scaled, x, 3, out)(), daemon=True)
        worker.start()
        worker.join(10)
        assert not worker.is_alive()
    finally:
        done.set()
        other.join()
