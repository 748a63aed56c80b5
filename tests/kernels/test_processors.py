"""Tile sizes for each instruction set, and kernels made for older processors than this one: machine code and results.

Numba decides on its processor when it is imported, so other processors need processes of their own.
"""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest

from tsrnn._jit import FAST_MATH, kernel
from tsrnn.kernels.simd import LANES, Strided, contract, contract_groups, load_rows, outer, store_rows
from tsrnn.kernels.simd.host import TILE, TILES, tile_of
from tsrnn.nn import GRU, LSTM, Dense, SimpleRNN, recurrent
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = {"zmm": 64, "ymm": 32, "xmm": 16}
CELLS = {"rnn": SimpleRNN, "lstm": LSTM, "gru": GRU}
OLDER = {"haswell": "ymm", "nehalem": "xmm"}  # and their widest registers
X86 = platform.machine() in ("x86_64", "AMD64")

compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
on_x86 = pytest.mark.skipif(not X86, reason="the processor is of another family")


def runs(processor):
    """Whether this machine can execute what is compiled for the other one."""
    features = llvm.get_host_cpu_features()
    return all(features.get(name) for name in (("avx2", "fma", "bmi2") if processor == "haswell" else ("sse4.2",)))


@pytest.fixture(params=OLDER)
def processor(request):
    """The older processors that this machine can stand in for."""
    if not X86 or not runs(request.param):
        pytest.skip(f"this machine does not run code for {request.param}")
    return request.param


@on_x86
@pytest.mark.parametrize(
    ("name", "features", "registers"),
    [
        ("nehalem", "", "xmm"),
        ("x86-64", "", "xmm"),
        ("haswell", "", "ymm"),
        ("znver3", "", "ymm"),
        ("skylake-avx512", "", "zmm"),
        ("znver4", "", "zmm"),
        ("skylake-avx512", "-avx512f", "ymm"),
        ("nehalem", "+avx2,+fma", "ymm"),
    ],
)
def test_the_tile_follows_what_llvm_makes_for_the_processor(name, features, registers):
    assert tile_of("x86_64-unknown-linux-gnu", name, features) == TILES[registers]


def test_the_tile_of_arm():
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        llvm.Target.from_triple("aarch64-unknown-linux-gnu")
    except RuntimeError:
        pytest.skip("this LLVM makes no code for ARM")
    for triple, name in (("aarch64-unknown-linux-gnu", "neoverse-n1"), ("arm64-apple-macosx", "apple-m1")):
        tile = tile_of(triple, name, "")
        assert tile == TILES["v"]
        assert tile.lanes == 16


@compiled
@on_x86
@pytest.mark.skipif(numba.config.CPU_NAME is not None, reason="the code is for another processor")
def test_this_process_uses_the_tile_of_this_machine():
    features = llvm.get_host_cpu_features()
    if not numba.config.ENABLE_AVX:
        assert TILES["xmm"] == TILE
    else:
        assert TILES["zmm" if features["avx512f"] else "ymm" if features["avx"] else "xmm"] == TILE


@kernel
def contractions(weights, inputs, count, out):
    """The three contractions alone, in the shapes that the LSTM needs."""
    rows = contract(load_rows(inputs, 0, 4, 1), 0, 4, weights, 0, inputs, 0, count)
    store_rows(out, 0, (contract_groups(rows[0], weights, 0, inputs, 0, count, 5, 0, 4),))
    outer(Strided(out, LANES, 2), Strided(inputs, 0, LANES), 4, Strided(inputs, 0, LANES), 2, count)


def fresh(function, arguments):
    """Assembly of the function for these arguments; what comes from the cache has none."""
    again = numba.njit(function.py_func, error_model="numpy", fastmath=FAST_MATH)
    again(*arguments)
    (assembly,) = again.inspect_asm().values()
    return assembly


def assemblies(cell):
    """Machine code of the contractions, and of forward and backward of a cell, by name."""
    zeros = np.zeros(20 * LANES, np.float32)
    network = Network([CELLS[cell](5), Dense(1)], Shape(3, 2))
    network.pack(network.initial(0))
    bound = network.workspace(training=True).bound[0]
    return {
        "contractions": fresh(contractions, (zeros, zeros, 2, zeros.copy())),
        "forward": fresh(recurrent.forward, bound.forward[0].args),
        "backward": fresh(recurrent.backward, bound.backward[0].args),
    }


def inner_loops(assembly):
    """The bodies of the loops without another one in them."""
    lines = assembly.splitlines()
    places = {line.rstrip(":"): at for at, line in enumerate(lines) if re.fullmatch(r"\.?LBB\w+:", line)}
    for at, line in enumerate(lines):
        jump = re.match(r"\s+j\w+\s+(\.?LBB\w+)$", line)
        if jump and places.get(jump[1], at) < at:
            body = lines[places[jump[1]] + 1 : at]
            if not any(inner.rstrip(":") in places for inner in body):
                yield body


def spilled(assembly):
    """Vectors that loops of multiplications read from the stack or write there."""
    multiplications = re.compile(r"\bv?(?:mul|fn?m(?:add|sub)\w*)ps\b")
    busy = [body for body in inner_loops(assembly) if sum(bool(multiplications.search(line)) for line in body) > 2]
    assert busy, "no loop of multiplications was found"
    return [line for body in busy for line in body if re.search(r"\(%rsp\)", line) and re.search("[xyz]mm", line)]


def report(cell="lstm"):
    """What a process says about the code that it makes: tile, widest registers, spilled vectors, by kernel."""
    found = assemblies(cell)
    widest = {name: max(set(re.findall("[xyz]mm", code)), key=WIDTHS.get) for name, code in found.items()}
    return {"lanes": LANES, "widest": widest, "spilled": {name: spilled(code) for name, code in found.items()}}


@compiled
@on_x86
@pytest.mark.parametrize("cell", ["lstm", *(pytest.param(cell, marks=pytest.mark.slow) for cell in ("rnn", "gru"))])
def test_machine_code(cell):
    """The widest registers are used, and the sums of a contraction stay in registers."""
    found = report(cell)
    assert {WIDTHS[registers] for registers in found["widest"].values()} == {TILE.register_bytes}
    assert not any(found["spilled"].values()), found["spilled"]


def run_as(processor, *arguments, **environment):
    """Run Python with kernels made for an older processor, and give back its output."""
    settings = {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": "", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | settings | environment, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@compiled
def test_machine_code_for_an_older_processor(processor):
    """No wider register than it has."""
    found = json.loads(run_as(processor, __file__))
    assert found["lanes"] == TILES[OLDER[processor]].lanes
    assert set(found["widest"].values()) == {OLDER[processor]}
    assert not any(found["spilled"].values()), found["spilled"]


@compiled
@pytest.mark.parametrize("processor", ["haswell"], indirect=True)
def test_the_cache_keeps_the_code_of_an_older_processor_apart(processor, tmp_path):
    script = """
import numpy as np
from tsrnn.kernels.update import scale
scale(np.zeros(3, np.float32), 2.0)
print(sum(scale.stats.cache_hits.values()), sum(scale.stats.cache_misses.values()))
"""
    shared = {"TSRNN_CACHE_DIR": str(tmp_path)}
    here = {"NUMBA_CPU_NAME": llvm.get_host_cpu_name(), "NUMBA_CPU_FEATURES": llvm.get_host_cpu_features().flatten()}
    assert run_as(processor, "-c", script, **shared).split() == ["0", "1"]
    assert run_as(processor, "-c", script, **shared, **here).split() == ["0", "1"]
    assert run_as(processor, "-c", script, **shared).split() == ["1", "0"]
    assert len(list(tmp_path.iterdir())) == 2


SOME_TESTS = [  # the operations; of one cell outputs and gradients, one sequence, and threads
    "tests/kernels/test_simd.py",
    "tests/nn/test_recurrent.py::test_oracle[gru-(50, 7, 3, 19)-both dropouts, backwards-float32]",
    "tests/nn/test_single.py::test_same_bits_as_in_a_tile[gru-last-70-float32]",
    "tests/training/test_tiles.py::test_same_bits_for_any_number_of_threads",
]


def run_tests_as(processor, *arguments):
    """Tests that pass with kernels made for an older processor; none of them is one of these."""
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", "not older_processor")
    return run_as(processor, "-m", "pytest", *options, *arguments)


@compiled
def test_kernels_on_an_older_processor(processor):
    assert "passed" in run_tests_as(processor, *SOME_TESTS)


@compiled
@pytest.mark.slow
def test_all_kernels_and_layers_on_an_older_processor(processor):
    assert "passed" in run_tests_as(processor, "-m", "not peers", "tests/kernels", "tests/nn")


if __name__ == "__main__":
    print(json.dumps(report()))
