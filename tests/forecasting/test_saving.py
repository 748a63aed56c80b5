"""Files: what comes back is the same forecaster, to the bit; what is no such file is refused."""

import datetime

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy

import tsrnn
from tsrnn import DenseForecaster, GRUForecaster, LinearForecaster, LSTMForecaster, NaiveForecaster, RNNForecaster
from tsrnn._encoding import decode, encode
from tsrnn.nn import (
    GRU,
    LSTM,
    TDNN,
    Attention,
    AveragePool1D,
    Bidirectional,
    Conv1D,
    Dense,
    Dilated,
    Dropout,
    Embedding,
    GlobalAveragePool1D,
    GlobalMaxPool1D,
    LayerNorm,
    MaxPool1D,
    RepeatVector,
    Residual,
    SimpleRNN,
)
from tsrnn.nn.cells import CELLS
from tsrnn.nn.heads.point import Huber
from tsrnn.persistence import ModelFileError, save_file
from tsrnn.training import SGD, AdamW, Cosine, ReduceOnPlateau, Step

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 3, "max_epochs": 1, "random_state": 0}
FORECASTERS = {
    "naive": NaiveForecaster(horizon=3),
    "seasonal": NaiveForecaster(method="seasonal", season_length=20, lookback=2, horizon=3),
    "linear": LinearForecaster(lookback=7, horizon=3, scaler="robust", scaler_scope="global", alpha=2),
    "dense": DenseForecaster(hidden_size=[4, 5], dropout=0.1, **TINY),
    "gru": GRUForecaster(hidden_size=4, instance_norm="standard", missing="ffill", **TINY),
    "rnn": tsrnn.SimpleRNNForecaster(hidden_size=4, scaler=None, validation_fraction=0, **TINY),
    "objects": GRUForecaster(
        hidden_size=4,
        loss=Huber(0.5),
        optimizer=SGD(momentum=0.5, nesterov=True),
        lr_schedule=Cosine(floor=0.1),
        freq="D",
        target=["walk", "wave"],
        past_covariates=["noise"],
        na_values=np.array([-9999]),
        random_state=np.random.RandomState(1),
        **{name: value for name, value in TINY.items() if name != "random_state"},
    ),
    "lists": RNNForecaster(hidden_size=(4, 3), activation=["tanh", "relu"], dropout=[0.0, 0.1], **TINY),
    "convolutions": RNNForecaster(
        layers=[
            Conv1D(4, 3, padding="causal"),
            MaxPool1D(2),
            LayerNorm(),
            Residual(GRU(4, return_sequences=True)),
            GlobalAveragePool1D(),
        ],
        **TINY,
    ),
    "layers": RNNForecaster(
        layers=[GRU(4, return_sequences=True), Dropout(0.2), GRU(3, go_backwards=True), Dense(5, activation="relu")],
        **TINY,
    ),
}
OBJECTS = [
    Huber(2.0),
    SGD(0.3, True),
    AdamW(beta_1=0.5),
    Step(3),
    Cosine(0.2),
    ReduceOnPlateau(patience=2),
    None,
    "mae",
]
OBJECTS += [SimpleRNN(3, activation="relu"), LSTM(4, dropout=0.1), GRU(2, reset_after=False), Dense(3), Dropout(0.5)]
OBJECTS += [Conv1D(4, 3, padding="causal"), MaxPool1D(3), AveragePool1D(2, strides=1), GlobalAveragePool1D()]
OBJECTS += [GlobalMaxPool1D(), LayerNorm(0.01), RepeatVector(3), TDNN(3, 5, dilation_rate=2)]
OBJECTS += [Residual(GRU(3, return_sequences=True)), Residual(Residual(LayerNorm())), Embedding(9, 2, mask_zero=True)]
OBJECTS += [Bidirectional(GRU(2, dropout=0.1), merge_mode="sum"), Attention(units=3), Dilated(LSTM(3), 2)]
OBJECTS += [[GRU(2), Dense(1)], (8, 4), [1.5], True, pd.Timestamp("2024-01-01"), {1: 2.0, "a": GRU(2)}]


@pytest.fixture
def saved(wide, tmp_path):
    LinearForecaster(lookback=7, horizon=3).fit(wide).save(tmp_path / "linear")
    return tmp_path / "linear"


@pytest.mark.parametrize("forecaster", FORECASTERS.values(), ids=FORECASTERS)
def test_round_trip(forecaster, panel, tmp_path):
    forecaster.fit(panel)
    forecaster.save(tmp_path / "file")
    for loaded in (tsrnn.load(tmp_path / "file"), type(forecaster).load(str(tmp_path / "file"))):
        assert type(loaded) is type(forecaster)
        for history in (None, panel, panel.loc[["B"]]):
            again, before = loaded.predict(history), forecaster.predict(history)
            assert again.to_numpy().tobytes() == before.to_numpy().tobytes()
            pd.testing.assert_frame_equal(again, before)
        assert loaded.score(panel) == forecaster.score(panel)
        assert str(loaded.summary()) == str(forecaster.summary())
        assert (loaded.cutoff_, loaded.data_report_) == (forecaster.cutoff_, forecaster.data_report_)
        assert loaded.state_.skill == forecaster.state_.skill
        if isinstance(forecaster, tsrnn.RNNForecaster | DenseForecaster):
            pd.testing.assert_frame_equal(loaded.history_, forecaster.history_)
            assert (loaded.best_epoch_, loaded.stopped_) == (forecaster.best_epoch_, forecaster.stopped_)
        for name, value in forecaster.get_params().items():
            if not isinstance(value, np.ndarray | np.random.RandomState):
                assert getattr(loaded, name) == value, name
        loaded.fit(panel)  # parameters come back usable


def test_loaded_forecasters_save_the_same_bytes(wide, tmp_path):
    GRUForecaster(hidden_size=3, **TINY).fit(wide).save(tmp_path / "a")
    tsrnn.load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("value", OBJECTS, ids=repr)
def test_values_of_parameters(value):
    back = decode(encode(value))
    assert back == value
    assert type(back) is type(value)


def test_frequencies_are_saved_by_name():
    assert encode(pd.offsets.Hour(3)) == "3h"
    assert encode(datetime.timedelta(minutes=10)) == "10min"


class Homemade(SimpleRNN):
    """A cell of the user's own."""


def test_cells_of_the_users_own(wide, tmp_path, monkeypatch):
    forecaster = RNNForecaster(layers=[Homemade(3)], **TINY).fit(wide)
    with pytest.raises(TypeError, match="Homemade cannot be saved.*CELLS"):
        forecaster.save(tmp_path / "file")
    assert not list(tmp_path.iterdir())
    monkeypatch.setitem(CELLS, "homemade", Homemade)
    forecaster.save(tmp_path / "file")
    assert tsrnn.load(tmp_path / "file").predict().equals(forecaster.predict())


def test_callbacks_are_not_saved(wide, tmp_path):
    GRUForecaster(hidden_size=3, callbacks=[print_nothing], **TINY).fit(wide).save(tmp_path / "file")
    assert tsrnn.load(tmp_path / "file").callbacks is None


def print_nothing(record):
    """A callback."""


def test_of_another_class(saved):
    with pytest.raises(ModelFileError, match=r"holds a LinearForecaster, not a GRUForecaster.*LinearForecaster\.load"):
        GRUForecaster.load(saved)
    assert isinstance(LinearForecaster.load(saved), LinearForecaster)


def test_a_base_class_reads_its_subclasses(wide, tmp_path):
    LSTMForecaster(hidden_size=3, **TINY).fit(wide).save(tmp_path / "file")
    assert type(RNNForecaster.load(tmp_path / "file")) is LSTMForecaster
    with pytest.raises(ModelFileError, match="not a GRUForecaster"):
        GRUForecaster.load(tmp_path / "file")


@pytest.mark.parametrize("load", [tsrnn.load, LinearForecaster.load], ids=["tsrnn.load", "class"])
def test_files_that_are_none(saved, load):
    whole = saved.read_bytes()
    for content, message in [
        (b"", "empty"),
        (whole[:-5], "damaged or cut off"),
        (whole[:40], "cut off"),
        (whole[:200] + bytes([whole[200] ^ 1]) + whole[201:], "damaged"),
        (whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:], "checksum"),
        (b"temp,dewp\n1,2\n", "not a model file"),
        (b"\x80\x04K\x01.", "pickle"),
        (safetensors.numpy.save({"a": np.zeros(2)}), "not one written by tsrnn"),
    ]:
        saved.write_bytes(content)
        with pytest.raises(ModelFileError, match=message):
            load(saved)
    with pytest.raises(ModelFileError, match="There is no model file"):
        load(saved.with_name("absent"))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "no estimator can be made of it"),
        ({"estimator": "Oracle", "parameters": {}, "state": {}}, "holds a Oracle.*Import the module that defines it"),
        ({"estimator": "LinearForecaster", "parameters": {"beta": 1}, "state": {}}, "no parameter 'beta'"),
        ({"estimator": "LinearForecaster", "parameters": {}, "state": {}}, "no estimator can be made of it"),
        ({"estimator": "LinearForecaster", "parameters": {"alpha": {"spec": "os"}}, "state": {}}, "KeyError"),
        ({"estimator": 3}, "holds a 3"),
        ({"estimator": []}, "no estimator can be made of it"),
    ],
)
def test_whole_files_that_hold_no_estimator(tmp_path, document, message):
    save_file(tmp_path / "file", {"naive_mae": np.zeros(2)}, document)
    with pytest.raises(ModelFileError, match=message):
        tsrnn.load(tmp_path / "file")
