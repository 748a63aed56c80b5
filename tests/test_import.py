"""`import tsrnn` is light, and the public names are there when they are used."""

import subprocess
import sys

import pytest

import tsrnn

HEAVY = ["numpy", "pandas", "numba", "sklearn", "scipy", "safetensors", "optuna", "matplotlib", "polars", "tqdm"]


def loaded_by(code):
    """Run code in a fresh interpreter and return the names in `sys.modules` afterwards."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_import_loads_nothing_heavy():
    loaded = loaded_by("import tsrnn; dir(tsrnn); tsrnn.__version__")
    assert "tsrnn" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_datasets_load_no_kernels():
    assert "numba" not in loaded_by("from tsrnn.datasets import load_nyc_weather; load_nyc_weather()")


@pytest.mark.parametrize("name", tsrnn.__all__)
def test_every_public_name_resolves(name):
    value = getattr(tsrnn, name)
    assert getattr(tsrnn, name) is value
    assert getattr(value, "__name__", name).split(".")[-1] == name or name == "__version__"


def test_dir_lists_the_public_names():
    assert dir(tsrnn) == sorted(tsrnn.__all__)


def test_unknown_name():
    with pytest.raises(AttributeError, match="module 'tsrnn' has no attribute 'GRU'"):
        _ = tsrnn.GRU
