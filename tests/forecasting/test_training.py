"""What `fit` of a network tells, what it validates on, and when it stops."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numba import config

import tsrnn
from tsrnn import DenseForecaster, DivergedError, GRUForecaster, LinearForecaster
from tsrnn._jit import kernel
from tsrnn.training import SGD

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 3, "random_state": 0}
COLUMNS = ["epoch", "loss", "val_loss", "val_mae", "learning_rate", "seconds"]


def weights(forecaster):
    return forecaster.state_.model.theta.tobytes()


def test_history(wide):
    forecaster = GRUForecaster(**TINY, lr_schedule="cosine", early_stopping=False).fit(wide)
    history = forecaster.history_
    assert list(history.columns) == COLUMNS
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["learning_rate"].iloc[0] == forecaster.learning_rate
    assert history["learning_rate"].is_monotonic_decreasing
    assert np.isfinite(history.to_numpy()).all()
    assert forecaster.stopped_ == "max_epochs"
    assert forecaster.best_epoch_ == history["val_loss"].idxmin() + 1


def test_val_mae_is_in_data_units(wide):
    """That of the epoch kept is the error of the forecasts on the validation rows."""
    frame = 1000 * wide[["walk"]]
    forecaster = GRUForecaster(**TINY).fit(frame)
    first = frame.index.get_loc(pd.Timestamp(forecaster.cutoff_[0]))
    forecasts = forecaster.historical_forecasts(frame.iloc[first - 7 :])
    came = frame["walk"].astype(np.float32).loc[forecasts.iloc[:, 1]].to_numpy()
    expected = np.abs(forecasts["walk"].to_numpy() - came).mean()
    assert forecaster.history_["val_mae"][forecaster.best_epoch_ - 1] == pytest.approx(expected, rel=1e-4)


def test_validation_fraction_zero(wide):
    forecaster = GRUForecaster(validation_fraction=0, **TINY).fit(wide)
    assert forecaster.history_["val_loss"].isna().all()
    assert forecaster.cutoff_ == []
    assert not hasattr(forecaster, "baseline_skill_")
    with pytest.raises(AttributeError, match="needs validation rows"):
        _ = forecaster.baseline_skill_
    assert "no validation rows" in str(forecaster.summary())
    assert forecaster.best_epoch_ == forecaster.history_["loss"].idxmin() + 1


@pytest.mark.parametrize("kind", [GRUForecaster, LinearForecaster])
def test_X_val_is_the_same_as_the_last_part(wide, kind):  # noqa: N802
    """Rows that begin a lookback before the border give the windows that a validation fraction gives."""
    settings = TINY if kind is GRUForecaster else {"lookback": 7, "horizon": 3}
    split = kind(**settings, validation_fraction=0.25).fit(wide)
    given = kind(**settings).fit(wide.iloc[:90], X_val=wide.iloc[83:])
    assert given.cutoff_ == []
    assert given.baseline_skill_ == pytest.approx(split.baseline_skill_, abs=1e-6)
    if kind is GRUForecaster:
        assert weights(given) == weights(split)
        pd.testing.assert_frame_equal(given.history_.drop(columns="seconds"), split.history_.drop(columns="seconds"))


def test_X_val_of_a_target_given_as_y(wide):  # noqa: N802
    X, y = wide[["wave"]], wide["walk"]
    forecaster = LinearForecaster(lookback=7, horizon=3)
    with pytest.raises(TypeError, match=r"In `X_val`: it must be a pair \(X, y\)"):
        forecaster.fit(X, y, X_val=X)
    forecaster.fit(X[:90], y[:90], X_val=(X[83:], y[83:]))
    expected = LinearForecaster(lookback=7, horizon=3, target="walk", past_covariates=["wave"])
    expected.fit(wide[:90], X_val=wide[83:])
    assert forecaster.baseline_skill_ == expected.baseline_skill_


def test_validation_by_series(panel):
    by_time = LinearForecaster(lookback=7, horizon=3, validation_fraction=0.2).fit(panel)
    assert by_time.cutoff_ == ["2024-04-06 00:00:00"]
    by_series = LinearForecaster(lookback=7, horizon=3, validation_fraction=0.2, validation_by="series").fit(panel)
    assert by_series.cutoff_ == ["2024-03-21 00:00:00", "2024-04-06 00:00:00", "2024-03-14 00:00:00"]
    assert by_time.baseline_skill_ != by_series.baseline_skill_


def test_callbacks_see_each_epoch_and_may_stop(wide):
    seen = []

    def watch(record):
        seen.append((record.epoch, record.max_epochs, record.val_loss))
        return record.epoch == 2

    forecaster = GRUForecaster(callbacks=[watch, lambda record: None], **TINY | {"max_epochs": 9}).fit(wide)
    assert forecaster.stopped_ == "callback"
    assert seen == [(epoch, 9, loss) for epoch, loss in zip((1, 2), forecaster.history_["val_loss"], strict=True)]


def test_errors_of_callbacks_pass_through(wide):
    def fail(record):
        raise LookupError("mine")

    forecaster = GRUForecaster(**TINY).fit(wide)
    before = dict(vars(forecaster))
    with pytest.raises(LookupError, match="mine"):
        forecaster.set_params(callbacks=[fail]).fit(wide)
    assert {name for name, value in vars(forecaster).items() if value is not before[name]} == {"callbacks"}


@pytest.mark.parametrize("epoch", [1, 2])
def test_interrupt_leaves_a_fitted_forecaster(wide, epoch):
    def interrupt(record):
        if record.epoch == epoch:
            raise KeyboardInterrupt

    forecaster = GRUForecaster(callbacks=[interrupt], **TINY)
    with pytest.warns(UserWarning, match=f"Training of GRUForecaster was interrupted after {epoch} epochs.*fitted"):
        forecaster.fit(wide)
    assert forecaster.stopped_ == "interrupt"
    assert len(forecaster.history_) == epoch
    uninterrupted = GRUForecaster(**TINY | {"max_epochs": epoch}).fit(wide)
    assert weights(forecaster) == weights(uninterrupted)
    assert forecaster.predict().equals(uninterrupted.predict())


def test_interrupt_before_the_first_epoch_ends(wide, monkeypatch):
    class Impatient(SGD):
        def apply(self, *arguments):
            raise KeyboardInterrupt

    forecaster = GRUForecaster(**TINY).fit(wide)
    with pytest.warns(UserWarning, match="interrupted after 0 epochs"):
        forecaster.set_params(optimizer=Impatient()).fit(wide)
    assert (forecaster.stopped_, forecaster.best_epoch_) == ("interrupt", 0)
    assert forecaster.history_.empty and list(forecaster.history_.columns) == COLUMNS
    assert np.isfinite(forecaster.predict().to_numpy()).all()


def test_divergence_leaves_the_forecaster_as_it_was(wide):
    wild = {"learning_rate": 1e30, "clip_norm": None, "optimizer": SGD(), "loss": "mse", "batch_size": 16}
    forecaster = DenseForecaster(**TINY, **wild)
    with pytest.raises(DivergedError, match="smaller `learning_rate`") as caught:
        forecaster.fit(wide)
    assert list(caught.value.history.columns) == COLUMNS
    assert not hasattr(forecaster, "state_")
    forecaster.set_params(learning_rate=0.001).fit(wide)
    before, forecast = dict(vars(forecaster)), forecaster.predict()
    with pytest.raises(DivergedError):
        forecaster.set_params(learning_rate=1e30).fit(wide)
    assert {name for name, value in vars(forecaster).items() if value is not before[name]} == {"learning_rate"}
    assert forecaster.predict().equals(forecast)


def test_nothing_is_printed(wide, capfd):
    GRUForecaster(**TINY).fit(wide).predict()
    assert capfd.readouterr() == ("", "")


def test_the_progress_bar_goes_to_standard_error(wide, capfd):
    pytest.importorskip("tqdm")
    forecaster = GRUForecaster(verbose=True, **TINY).fit(wide)
    out, err = capfd.readouterr()
    assert out == ""
    assert "GRUForecaster" in err and "3/3" in err and "val_loss=" in err
    assert forecaster.callbacks is None


NOTICE = "Compiling kernels for this processor ("

FIT_AND_PREDICT = """
import sys, warnings
import numpy as np
import pandas as pd
import tsrnn
warnings.simplefilter("ignore")
verbose, path = bool(int(sys.argv[1])), sys.argv[2]
frame = pd.DataFrame({"a": np.sin(np.arange(40.0)), "b": np.cos(np.arange(40.0))})
forecaster = tsrnn.DenseForecaster(verbose=verbose, hidden_size=2, lookback=4, horizon=2, max_epochs=1, n_jobs=1)
forecaster.fit(frame).save(path)
tsrnn.load(path).predict()
"""
LOAD_AND_PREDICT = "import sys, tsrnn\ntsrnn.load(sys.argv[2]).predict()"


compiles = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")


def double(x):
    return 2 * x


@compiles
def test_one_line_tells_of_compilation(wide, tmp_path, monkeypatch, capfd):
    pytest.importorskip("tqdm")
    monkeypatch.setenv("TSRNN_CACHE_DIR", str(tmp_path))
    forecaster = GRUForecaster(**TINY).fit(wide)  # what it needs is there from now on
    forecaster.set_params(callbacks=[lambda record: kernel(double)(record.epoch) < 0]).fit(wide)
    assert capfd.readouterr() == ("", "")
    forecaster.set_params(verbose=True).fit(wide)
    out, err = capfd.readouterr()
    assert (out, NOTICE in err) == ("", False)
    shutil.rmtree(tmp_path)
    forecaster.set_params(callbacks=[lambda record: kernel(double)(0.5 * record.epoch) < 0]).fit(wide)
    out, err = capfd.readouterr()
    assert (out, err.count(f"{NOTICE}once; kept in {tmp_path}) ...\n")) == ("", 1)


@compiles
@pytest.mark.slow
def test_one_line_tells_of_compilation_in_new_processes(tmp_path):
    """When something has to be compiled and `verbose` is on, and at no other time; forecasts of a loaded one too."""
    pytest.importorskip("tqdm")

    def told(code, verbose, cache):
        environment = os.environ | {"PYTHONPATH": str(Path(tsrnn.__file__).parents[1]), "TSRNN_CACHE_DIR": str(cache)}
        command = [sys.executable, "-c", code, str(int(verbose)), str(tmp_path / f"{verbose}.tsrnn")]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert result.stdout == ""
        return result.stderr

    cache = tmp_path / "cache"
    assert told(FIT_AND_PREDICT, False, cache) == ""
    assert NOTICE not in told(FIT_AND_PREDICT, True, cache)
    shutil.rmtree(cache)
    lines = told(FIT_AND_PREDICT, True, cache).splitlines()
    assert [line for line in lines if NOTICE in line] == [f"{NOTICE}once; kept in {cache}) ..."]
    assert told(LOAD_AND_PREDICT, True, cache) == ""
    why = "anew in each process: switched off by TSRNN_CACHE_DIR=off"
    assert told(LOAD_AND_PREDICT, True, "off") == f"{NOTICE}{why}) ...\n"
    assert told(LOAD_AND_PREDICT, False, "off") == ""


def test_the_progress_bar_needs_tqdm(wide, monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name=name.partition(".")[0])

    monkeypatch.setattr("tsrnn._errors.importlib.import_module", absent)
    forecaster = GRUForecaster(verbose=True, **TINY)
    with pytest.raises(ImportError, match=r'pip install "tsrnn\[progress\]"'):
        forecaster.fit(wide)
    assert not hasattr(forecaster, "state_")


def test_warm_start_goes_on(wide):
    """The second fit starts from the weights of the first, so its loss is lower; a fresh one repeats the first."""
    forecaster = GRUForecaster(**TINY | {"learning_rate": 0.02, "max_epochs": 20}, early_stopping=False).fit(wide)
    first, theta = forecaster.history_["loss"], forecaster.state_.model.theta.copy()
    forecaster.fit(wide)
    assert forecaster.history_["loss"].equals(first)
    forecaster.set_params(warm_start=True, max_epochs=1, learning_rate=1e-12).fit(wide)
    np.testing.assert_allclose(forecaster.state_.model.theta, theta, atol=1e-6)
    assert forecaster.history_["loss"][0] < 0.9 * first[0]


def test_warm_start_needs_the_same_network(wide):
    forecaster = GRUForecaster(warm_start=True, **TINY).fit(wide)
    for change in (
        {"hidden_size": 5},
        {"lookback": 8},
        {"horizon": 2},
        {"target": ["walk", "wave"], "past_covariates": []},
    ):
        before = forecaster.state_
        with pytest.raises(ValueError, match="`warm_start=True` needs the layers, windows and number of columns"):
            forecaster.set_params(**change).fit(wide)
        assert forecaster.state_ is before
        forecaster.set_params(hidden_size=4, lookback=7, horizon=3)
    forecaster.set_params(warm_start=False).fit(wide)


def test_max_steps(wide):
    forecaster = GRUForecaster(max_steps=2, batch_size=16, **TINY).fit(wide)
    assert forecaster.stopped_ == "max_steps"
    assert len(forecaster.history_) == 1


def test_restoring_the_best_weights(wide):
    """Without it, the weights are those of the last epoch, as if that had been the budget."""
    noise = wide[["noise"]]
    settings = TINY | {"learning_rate": 0.1, "max_epochs": 6, "early_stopping": False}
    best = GRUForecaster(**settings).fit(noise)
    last = GRUForecaster(**settings, restore_best_weights=False).fit(noise)
    kept = best.best_epoch_
    assert kept < 6  # noise is soon learned by heart
    assert last.best_epoch_ == 6
    stopped = GRUForecaster(**settings | {"max_epochs": kept}, restore_best_weights=False).fit(noise)
    assert weights(best) == weights(stopped) != weights(last)


def test_early_stopping_waits_for_patience(wide):
    settings = TINY | {"learning_rate": 0.1, "max_epochs": 30}
    forecaster = GRUForecaster(patience=2, **settings).fit(wide[["noise"]])
    assert forecaster.stopped_ == "early_stopping"
    assert len(forecaster.history_) == forecaster.best_epoch_ + 2 < 30
