"""Forecasts of several rows: at once, or one after the other."""

import pickle

import numpy as np
import pandas as pd
import pytest

import tsrnn
from tsrnn import GRUForecaster, LSTMForecaster, RNNForecaster
from tsrnn.nn import GRU, Dense, Dropout
from tsrnn.testing import check_forecaster

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 4, "hidden_size": 5, "max_epochs": 2, "random_state": 0}
RECURSIVE = TINY | {"strategy": "recursive"}


SEQ2SEQ = TINY | {"strategy": "seq2seq"}


def weights(forecaster):
    return forecaster.state_.model.theta.tobytes()


def next_rows(forecaster, frame, count):
    """By hand: a forecast of one row becomes the last row, and so on."""
    for _ in range(count):
        frame = pd.concat([frame, forecaster.predict(frame)[frame.columns]])
    return frame.iloc[-count:]


@pytest.mark.parametrize("norm", [None, "standard"])
@pytest.mark.parametrize("gap", [0, 2])
def test_recursive_is_a_forecast_of_one_row_again_and_again(wide, norm, gap):
    """Unscaled float32 values come back as they were: the same bits."""
    given = {"instance_norm": norm, "scaler": None, "sampling_rate": 2, "validation_fraction": 0}
    frame = wide.astype(np.float32).astype(np.float64)
    one = GRUForecaster(**TINY | given | {"horizon": 1}).fit(frame)
    many = GRUForecaster(**RECURSIVE | given, gap=gap).fit(frame)
    assert weights(one) == weights(many)
    expected = next_rows(one, frame, gap + 4).iloc[gap:]
    pd.testing.assert_frame_equal(many.predict(frame), expected, check_exact=True)
    assert many.predict(frame, horizon=2).equals(expected.iloc[:2])


def test_with_one_row_there_is_nothing_to_feed_back(wide):
    direct, recursive = (
        LSTMForecaster(**TINY | {"horizon": 1, "strategy": s}).fit(wide) for s in ("direct", "recursive")
    )
    assert weights(direct) == weights(recursive)
    assert direct.history_["val_loss"].equals(recursive.history_["val_loss"])
    assert direct.predict().equals(recursive.predict())


@pytest.mark.parametrize("own_rows", [False, True])
def test_validation_and_scores_are_of_the_whole_horizon(wide, own_rows):
    forecaster = GRUForecaster(**RECURSIVE | {"max_epochs": 1}, gap=1, target=["walk", "noise", "wave"])
    given = {"X_val": wide.iloc[-40:]} if own_rows else {}
    forecaster.fit(wide, **given)
    held_out = wide.iloc[-40:] if own_rows else wide.iloc[96 - 7 - 1 :]
    past = forecaster.historical_forecasts(held_out)
    actual = wide.loc[past["time"]].to_numpy()
    errors = np.abs(past[["wave", "walk", "noise"]].to_numpy() - actual)
    assert forecaster.history_["val_mae"].iloc[-1] == pytest.approx(errors.mean(), rel=1e-5)
    one = past[past["cutoff"] == past["cutoff"].iloc[0]]
    history = wide.loc[: one["cutoff"].iloc[0]]
    np.testing.assert_allclose(forecaster.predict(history)[["wave"]], one[["wave"]], rtol=1e-6)


@pytest.mark.parametrize("norm", [None, "last", "mean", "standard"])
def test_streams_are_equal_to_predict(wide, norm):
    forecaster = RNNForecaster(**RECURSIVE | {"hidden_size": [4, 40]}, instance_norm=norm, sampling_rate=2, gap=1)
    forecaster.fit(wide[:60])
    stream = forecaster.stream(wide[:60])
    for end in range(60, 80):
        found = stream.step(wide.iloc[end])
        np.testing.assert_array_equal(found, forecaster.predict(wide[: end + 1]).to_numpy())
        stream = pickle.loads(pickle.dumps(stream)) if end == 70 else stream


def test_covariates_cannot_be_fed_back(wide):
    with pytest.raises(ValueError, match=r"past covariates 'walk', 'noise'.*past_covariates=\[\]"):
        GRUForecaster(**RECURSIVE, target="wave").fit(wide)
    with pytest.raises(ValueError, match="'noise'"):
        GRUForecaster(**RECURSIVE, target="wave", past_covariates=["noise"]).memory_estimate(wide)
    alone = GRUForecaster(**RECURSIVE, target="wave", past_covariates=[]).fit(wide)
    assert alone.predict().shape == (4, 1)


@pytest.mark.parametrize("strategy", ["recursive", "seq2seq"])
def test_files_and_warm_start(panel, strategy, tmp_path):
    forecaster = GRUForecaster(**TINY | {"strategy": strategy, "warm_start": True}).fit(panel)
    forecaster.save(tmp_path / "file")
    loaded = tsrnn.load(tmp_path / "file")
    assert loaded.strategy == strategy
    assert loaded.predict().equals(forecaster.predict()) and str(loaded.summary()) == str(forecaster.summary())
    before = weights(forecaster)
    loaded.set_params(max_epochs=1).fit(panel)
    assert weights(loaded) == weights(forecaster.set_params(max_epochs=1).fit(panel)) != before
    with pytest.raises(ValueError, match=f"strategy='direct', after .*strategy='{strategy}'"):
        forecaster.set_params(strategy="direct").fit(panel)


@pytest.mark.parametrize("strategy", ["recursive", "seq2seq"])
def test_conformance(strategy):
    given = {"lookback": 9, "horizon": 3, "max_epochs": 1, "random_state": 0, "hidden_size": 4}
    check_forecaster(lambda: GRUForecaster(strategy=strategy, instance_norm="last", **given))


@pytest.mark.parametrize("norm", [None, "last", "mean", "standard"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "slstm"])
def test_streams_of_a_decoder_are_equal_to_predict(wide, cell, norm):
    given = {"target": ["walk", "wave"], "instance_norm": norm, "sampling_rate": 2, "gap": 1, "cell": cell}
    forecaster = RNNForecaster(**SEQ2SEQ | {"hidden_size": [4, 40]}, **given).fit(wide[:60])
    stream = forecaster.stream(wide[:60])
    for end in range(60, 66):
        np.testing.assert_array_equal(stream.step(wide.iloc[end]), forecaster.predict(wide[: end + 1]).to_numpy())
        stream = pickle.loads(pickle.dumps(stream)) if end == 62 else stream


def test_a_decoder_reads_covariates_only_in_the_history(wide):
    forecaster = GRUForecaster(**SEQ2SEQ, target="wave").fit(wide)
    text = str(forecaster.summary())
    assert "gru_decoder_1" in text and "(4, 5)" in text and "dense_2" in text
    assert forecaster.summary().n_params == (3 * 15 + 5 * 15 + 30) + (15 + 5 * 15 + 30) + 6
    changed = wide.copy()
    changed.loc[changed.index[-1], "noise"] += 1
    assert not forecaster.predict(changed).equals(forecaster.predict())


def test_teacher_forcing_and_its_decay(wide):
    def losses(**given):
        return GRUForecaster(**SEQ2SEQ | {"max_epochs": 3} | given).fit(wide).history_["loss"].to_list()

    always, never, fades = losses(teacher_forcing=1), losses(), losses(teacher_forcing=1, teacher_forcing_decay=0)
    assert fades[0] == always[0] != never[0]
    assert fades[1:] != always[1:]
    assert losses(teacher_forcing=0.5) == losses(teacher_forcing=0.5, n_jobs=1) != losses(teacher_forcing=0.25)
    assert losses(teacher_forcing_decay=0.3) == never
    with pytest.raises(ValueError, match="`teacher_forcing` of GRUForecaster must be a number in"):
        losses(teacher_forcing=1.5)


def test_a_decoder_learns_what_chance_does_not_give():
    """A wave of two periods without noise, forecast one season ahead, far better than naive."""
    hours = np.arange(500)
    wave = np.sin(hours * 2 * np.pi / 12) + 0.5 * np.sin(hours * 2 * np.pi / 30)
    frame = pd.DataFrame({"wave": wave}, index=pd.date_range("2024-01-01", periods=500, freq="h"))
    given = {"lookback": 30, "horizon": 12, "hidden_size": 16, "random_state": 0, "batch_size": 16}
    forecaster = GRUForecaster(strategy="seq2seq", learning_rate=0.01, teacher_forcing=0.5, **given).fit(frame)
    assert min(forecaster.baseline_skill_.values()) > 0.8


def test_a_decoder_goes_on_from_a_recurrent_layer(wide):
    given = {name: value for name, value in SEQ2SEQ.items() if name != "hidden_size"}
    with pytest.raises(ValueError, match=r"must be recurrent.*got Dense\(3\)"):
        RNNForecaster(layers=[GRU(4), Dense(3)], **given).fit(wide)
    with pytest.raises(ValueError, match=r"GRU\(4, return_state=True\), but an estimator gives predictions, and no st"):
        RNNForecaster(layers=[GRU(4, return_state=True)], **given).fit(wide)
    with pytest.raises(ValueError, match="stateful"):
        RNNForecaster(layers=[GRU(4, stateful=True)], **given).fit(wide)
    layers = [GRU(4, return_sequences=True), Dropout(0.1), GRU(3, return_sequences=True)]
    assert RNNForecaster(layers=layers, **given).fit(wide).predict().shape == (4, 3)


def test_layers_written_out(wide):
    given = {name: value for name, value in RECURSIVE.items() if name != "hidden_size"}
    forecaster = RNNForecaster(layers=[GRU(4), Dense(3, activation="relu")], **given).fit(wide)
    assert forecaster.summary().n_params == (3 * 12 + 4 * 12 + 24) + 15 + 12  # the last layer gives one row
