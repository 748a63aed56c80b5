"""Every architecture that a course on recurrent networks names, on one forecasting problem; simple models first.

Hourly weather of 2013 at one of New York's airports (packaged with tsrnn): 48 hours of five columns are read, the next
12 hours of temperature are forecast. The last fifth of the year is held out; each network is trained for a few epochs
from one seed on what comes before, so small differences between lines mean nothing. The table gives parameters, seconds
of training, and the mean absolute error over all origins of the held-out hours, in degrees Fahrenheit.

Usage: python examples/rnn_vocabulary.py [--epochs 4]
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
import pandas as pd

from tsrnn import BelowNaiveWarning, DenseForecaster, LinearForecaster, NaiveForecaster, RNNForecaster
from tsrnn.datasets import load_nyc_weather
from tsrnn.nn import (
    GRU,
    LSTM,
    TDNN,
    ActivityPenalty,
    Attention,
    Bidirectional,
    Conv1D,
    Dense,
    Dilated,
    Flatten,
    GlobalAveragePool1D,
    LayerNorm,
    MaxPool1D,
    Residual,
)

WINDOW = {"target": "temp", "lookback": 48, "horizon": 12, "missing": "ffill", "validation_fraction": 1 / 8}
COLUMNS = ["temp", "dewp", "humid", "wind_speed", "pressure"]


def network(**settings: object) -> RNNForecaster:
    """A small one, whose settings but for these are the same in every line."""
    return RNNForecaster(**({"hidden_size": 24, "instance_norm": "last", "random_state": 0} | settings | WINDOW))


def architectures() -> dict[str, object]:
    """The lines of the table."""
    states = {"return_sequences": True}
    return {
        "last value": NaiveForecaster(method="last", **WINDOW),
        "the same hour of yesterday": NaiveForecaster(method="seasonal", **WINDOW),
        "linear (ridge)": LinearForecaster(**WINDOW),
        "dense": DenseForecaster(random_state=0, instance_norm="last", **WINDOW),
        "time-delay network": network(layers=[TDNN(24, 5), TDNN(24, 5, dilation_rate=4), Flatten()]),
        "Elman's network (SimpleRNN)": network(cell="elman"),
        "Jordan's network": network(cell="jordan"),
        "LSTM": network(cell="lstm"),
        "LSTM with peepholes": network(cell="peephole_lstm"),
        "sLSTM": network(cell="slstm"),
        "GRU": network(cell="gru"),
        "GRU, reset before the product": network(cell="gru", reset_after=False),
        "minimal GRU": network(cell="minimal_gru"),
        "GRU, read from the end": network(layers=[GRU(24, go_backwards=True)]),
        "GRU with recurrent dropout": network(dropout=0.1, recurrent_dropout=0.2),
        "GRU, two layers": network(hidden_size=[24, 24]),
        "GRU in both directions": network(layers=[Bidirectional(GRU(24))]),
        "GRU, every fourth state": network(layers=[Dilated(GRU(24), 4)]),
        "two layers with a residual": network(layers=[GRU(24, **states), Residual(GRU(24, **states)), GRU(24)]),
        "GRU with layer normalisation": network(layers=[GRU(24, **states), LayerNorm(), GRU(24)]),
        "GRU, mean of all states": network(layers=[GRU(24, **states), GlobalAveragePool1D()]),
        "GRU, attention to its states": network(layers=[GRU(24, **states), Attention(units=16)]),
        "GRU, all states flattened": network(layers=[GRU(8, **states), Flatten()]),
        "GRU with penalties (L2, activity)": network(layers=[GRU(24, kernel_l2=1e-4), ActivityPenalty(l2=1e-4)]),
        "convolution, pooling, GRU": network(
            layers=[Conv1D(24, 5, activation="relu"), MaxPool1D(2), GRU(24), Dense(16, activation="relu")]
        ),
        "LSTM below, GRU above": network(layers=[LSTM(24, **states), GRU(24)]),
        "encoder and decoder": network(strategy="seq2seq"),
        "one row, read again (temp alone)": network(strategy="recursive", past_covariates=[]),
    }


def test_error(model: object, test: pd.DataFrame) -> float:
    """Mean absolute error over all origins of the test rows."""
    forecasts = model.historical_forecasts(test)
    truth = test["temp"].ffill().rename("truth")
    joined = forecasts.join(truth, on="time_hour")
    return float((joined["temp"] - joined["truth"]).abs().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    epochs = parser.parse_args().epochs
    warnings.simplefilter("ignore", BelowNaiveWarning)  # after so few epochs some are; the table shows it
    frame = load_nyc_weather().loc["JFK", COLUMNS]
    angle = 2 * np.pi * frame.index.hour / 24
    frame = frame.assign(hour_sin=np.sin(angle), hour_cos=np.cos(angle))
    border = int(0.8 * len(frame))
    before, test = frame.iloc[:border], frame.iloc[border - WINDOW["lookback"] :]
    rows = []
    for name, model in architectures().items():
        if "max_epochs" in model.get_params():
            model.set_params(max_epochs=epochs)
        start = time.perf_counter()
        model.fit(before)
        seconds = time.perf_counter() - start
        parameters = f"{model.summary().n_params:,}"
        rows.append((name, parameters, f"{seconds:.1f}", f"{test_error(model, test):.2f}"))
    table = pd.DataFrame(rows, columns=["architecture", "parameters", "seconds", "MAE (F)"])
    print(table.to_string(index=False, justify="left"))


if __name__ == "__main__":
    main()
