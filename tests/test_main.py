"""The command line, ``python -m tsrnn``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba import config

import tsrnn
from tsrnn import LinearForecaster, _warm_up
from tsrnn.__main__ import main

KEY = "0123456789abcdef01234567"
compiles = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")


def start(*arguments, **variables):
    environment = os.environ | {"PYTHONPATH": str(Path(tsrnn.__file__).parents[1])} | variables
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)


def test_help(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: python -m tsrnn ") and "warmup" in out and "cache" in out


def test_version(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"tsrnn {tsrnn.__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["warm"], ["warmup", "--fast"], ["cache", "folder"]])
def test_a_command_line_that_is_not_understood(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and "error:" in err


def test_it_is_run_as_a_module(tmp_path):
    result = start("-m", "tsrnn", "cache", TSRNN_CACHE_DIR=str(tmp_path))
    assert (result.returncode, result.stdout, result.stderr) == (0, f"folder\t{tmp_path}\nfiles\t0\nbytes\t0\n", "")
    result = start("-m", "tsrnn", "cache", "--clear", TSRNN_CACHE_DIR="off")
    assert (result.returncode, result.stdout) == (1, "")


def test_clear(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    kernel, other = tmp_path / f"kernels.update.adam-{KEY}.bin", tmp_path / "other"
    kernel.write_bytes(bytes(100))
    other.touch()
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == f"folder\t{tmp_path}\nfiles\t1\nbytes\t100\n"
    assert main(["cache", "--clear"]) == 0
    assert capsys.readouterr().out == f"Deleted 1 files.\nfolder\t{tmp_path}\nfiles\t0\nbytes\t0\n"
    assert list(tmp_path.iterdir()) == [other]


def test_the_cache_that_is_off(monkeypatch, capsys):
    monkeypatch.setenv("TSRNN_CACHE_DIR", "off")
    assert main(["cache"]) == 0
    assert "reason\tswitched off by TSRNN_CACHE_DIR=off" in capsys.readouterr().out
    for arguments in (["warmup"], ["cache", "--clear"]):
        assert main(arguments) == 1
        out, err = capsys.readouterr()
        assert out == "" and "no folder of compiled kernels: switched off by TSRNN_CACHE_DIR=off." in err


def test_warming_up_needs_the_compiler(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(config, "DISABLE_JIT", 1)
    assert main(["warmup"]) == 1
    assert capsys.readouterr() == ("", "error: NUMBA_DISABLE_JIT is set, so nothing is compiled. Unset it.\n")


def test_warming_up_with_nothing_to_compile(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(config, "DISABLE_JIT", 0)
    monkeypatch.setattr(_warm_up, "common_forecasters", lambda: [LinearForecaster(lookback=4, horizon=2)])
    assert main(["warmup"]) == 0
    assert capsys.readouterr().out.startswith(f"All common kernels were compiled already.\nfolder\t{tmp_path}\n")


FIT = """
import warnings
import numpy as np
import pandas as pd
from tsrnn import DenseForecaster, RNNForecaster
from tsrnn._cache import on_compile
warnings.simplefilter("ignore")
frame = pd.DataFrame(np.random.default_rng(1).standard_normal((150, 4)), columns=list("abcd"))
common = {"max_epochs": 2, "lookback": 12, "horizon": 5}
with on_compile(print):
    for cell in ("rnn", "lstm", "gru"):
        RNNForecaster(cell=cell, n_layers=3, target="b", instance_norm="standard", **common).fit(frame).predict()
    for optimizer in ("adam", "adamw", "rmsprop", "sgd"):
        forecaster = DenseForecaster(optimizer=optimizer, weight_decay=0.1, clip_norm=1e-3, **common)
        forecaster.fit(frame, sample_weight=np.linspace(1, 2, len(frame))).score(frame)
    for loss in ("mse", "mae", "huber"):
        RNNForecaster(loss=loss, dropout=0.2, recurrent_dropout=0.2, **common).fit(frame).historical_forecasts(frame)
"""


@compiles
@pytest.mark.slow
def test_after_warming_up_nothing_is_compiled(tmp_path):
    folder = {"TSRNN_CACHE_DIR": str(tmp_path)}
    first = start("-m", "tsrnn", "warmup", **folder)
    assert (first.returncode, first.stderr) == (0, "")
    kernels = len(list(tmp_path.iterdir()))
    assert f"\nCompiled {kernels} kernels in " in first.stdout and f"\nfiles\t{kernels}\n" in first.stdout
    assert "nn.recurrent.backward\n" in first.stdout
    used = start("-c", FIT, **folder)
    assert (used.returncode, used.stdout) == (0, ""), used.stderr
    second = start("-m", "tsrnn", "warmup", "--quiet", **folder)
    assert second.stdout.startswith("All common kernels were compiled already.\n")
