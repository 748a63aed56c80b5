"""Tomorrow's temperature at New York's three airports, from the last three days of weather.

Hourly weather of 2013 (packaged with tsrnn): the first 70 % of the hours are for training, the next 10 % for
validation, the rest for the test, which is read once, at the end. Every model reads 72 hours of nine columns and
forecasts the next 24 hours of temperature; settings were chosen on the validation part alone. The table gives the mean
absolute error over all test origins, airports and hours, in degrees Fahrenheit; recurrent networks are trained from
several seeds.

Usage: python examples/nyc_weather.py [--seeds 5] [--pictures FOLDER]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

from tsrnn import DenseForecaster, GRUForecaster, LinearForecaster, LSTMForecaster, NaiveForecaster, SimpleRNNForecaster
from tsrnn.datasets import load_nyc_weather

matplotlib.use("agg")  # pictures go to files
import matplotlib.pyplot as plt

LOOKBACK, HORIZON = 72, 24
COLUMNS = ["temp", "dewp", "humid", "wind_speed", "pressure", "visib", "precip"]
WINDOW = {"target": "temp", "lookback": LOOKBACK, "horizon": HORIZON, "missing": "ffill", "validation_fraction": 1 / 8}
NETWORK = {"instance_norm": "last", "dropout": 0.1, "max_epochs": 12, "patience": 4, "scaler_scope": "global"}
RECURRENT = ("SimpleRNN", "LSTM", "GRU")
MODELS = {
    "last value": NaiveForecaster(method="last", **WINDOW),
    "seasonal naive": NaiveForecaster(method="seasonal", **WINDOW),
    "linear (ridge)": LinearForecaster(scaler_scope="global", **WINDOW),
    "dense": DenseForecaster(random_state=0, **NETWORK, **WINDOW),
    "SimpleRNN": SimpleRNNForecaster(hidden_size=32, **NETWORK, **WINDOW),
    "LSTM": LSTMForecaster(hidden_size=32, **NETWORK, **WINDOW),
    "GRU": GRUForecaster(hidden_size=32, **NETWORK, **WINDOW),
}


@dataclass(frozen=True)
class Data:
    """The frame cut in time. ``test`` starts LOOKBACK hours early: history may reach back, what is forecast may not."""

    before_test: pd.DataFrame
    test: pd.DataFrame
    whole: pd.DataFrame


def load() -> Data:
    """The weather with the hour of the day as a circle, split 70 / 10 / 20 % by time."""
    frame = load_nyc_weather()[COLUMNS]
    stamps = frame.index.get_level_values("time_hour")
    angle = 2 * np.pi * stamps.hour / 24
    frame = frame.assign(hour_sin=np.sin(angle), hour_cos=np.cos(angle))
    hours = pd.date_range(stamps.min(), stamps.max(), freq="h")
    border = int(0.8 * len(hours))
    test_from = hours[border]
    return Data(frame[stamps < test_from], frame[stamps >= hours[border - LOOKBACK]], frame)


def test_errors(model, data: Data) -> pd.DataFrame:
    """The test forecasts of every origin, with what came and the absolute error."""
    forecasts = model.historical_forecasts(data.test)
    truth = data.test["temp"].groupby(level="origin").ffill().rename("truth")
    joined = forecasts.join(truth, on=["origin", "time_hour"]).dropna(subset="truth")
    hours = (joined["time_hour"] - joined["cutoff"]) / pd.Timedelta(hours=1)
    return joined.assign(hours_ahead=hours.astype(int), error=(joined["temp"] - joined["truth"]).abs())


def run(name: str, data: Data, seeds: int) -> tuple[dict[str, object], pd.DataFrame, object]:
    """Train one model (networks from several seeds): its line of the table; errors and model of the first seed."""
    maes, found, start = [], [], time.perf_counter()
    for seed in range(seeds if name in RECURRENT else 1):
        model = MODELS[name]
        if name in RECURRENT:
            model = type(model)(**(model.get_params() | {"random_state": seed}))
        model.fit(data.before_test)
        errors = test_errors(model, data)
        maes.append(errors["error"].mean())
        found.append((errors, model))
    errors, model = found[0]
    row = {
        "model": name,
        "test MAE (F)": f"{np.mean(maes):.2f}" + (f" ± {np.std(maes):.2f}" if len(maes) > 1 else ""),
        "parameters": f"{model.summary().n_params:,}",
        "seconds": f"{(time.perf_counter() - start) / len(maes):.1f}",
        "mae": float(np.mean(maes)),
    }
    return row, errors, model


def picture_of_forecast(errors: dict[str, pd.DataFrame], data: Data, folder: Path) -> Path:
    """One forecast of three models beside what came."""
    airport = "JFK"
    cutoffs = errors["GRU"]["cutoff"].unique()
    cutoff = cutoffs[len(cutoffs) // 2]
    fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
    truth = data.whole.loc[airport, "temp"]
    shown = truth[cutoff - pd.Timedelta(hours=LOOKBACK) : cutoff + pd.Timedelta(hours=HORIZON)]
    ax.plot(shown.index, shown, color="black", label="what came")
    for name in ("seasonal naive", "linear (ridge)", "GRU"):
        part = errors[name].query("origin == @airport and cutoff == @cutoff")
        ax.plot(part["time_hour"], part["temp"], label=name)
    ax.axvline(cutoff, color="grey", linestyle=":", label="forecast from here")
    ax.set(title=f"Temperature at {airport}, forecast for 24 hours", ylabel="degrees Fahrenheit")
    fig.legend(loc="outside lower center", ncols=5, fontsize="small")
    return save(fig, folder / "forecast.png")


def picture_of_errors(errors: dict[str, pd.DataFrame], folder: Path) -> Path:
    """Mean absolute error by hours ahead."""
    fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
    for name, frame in errors.items():
        by_hour = frame.groupby("hours_ahead")["error"].mean()
        ax.plot(by_hour.index, by_hour, label=name, linestyle="-" if name in RECURRENT else "--")
    ax.set(title="Error by hours ahead", xlabel="hours ahead", ylabel="mean absolute error (degrees Fahrenheit)")
    ax.set_ylim(bottom=0)
    ax.legend(fontsize="small", ncols=2)
    return save(fig, folder / "error_by_horizon.png")


def save(fig: plt.Figure, path: Path) -> Path:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, dpi=120)
    plt.close(fig)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="seeds of each recurrent network (default 5)")
    parser.add_argument(
        "--pictures", type=Path, default=Path(__file__).parent / "output", help="folder of the pictures"
    )
    arguments = parser.parse_args()
    start, data = time.perf_counter(), load()
    rows, errors = [], {}
    for name in MODELS:
        row, errors[name], model = run(name, data, arguments.seeds)
        rows.append(row)
        print(f"{name}: {row['test MAE (F)']} degrees, {row['seconds']} s", flush=True)
    table = pd.DataFrame(rows).set_index("model")
    table["skill"] = (1 - table["mae"] / table.loc["last value", "mae"]).map("{:.3f}".format)
    print(f"\n{table[['test MAE (F)', 'skill', 'parameters', 'seconds']].to_string()}\n")
    print("skill: 1 - MAE / MAE of the last value. Recurrent networks: mean over seeds, seconds for one seed.\n")
    print(f"picture: {picture_of_forecast(errors, data, arguments.pictures)}")
    print(f"picture: {picture_of_errors(errors, arguments.pictures)}")
    print("\nThe next day, as the GRU forecasts it:")
    print(model.predict(data.whole)["temp"].unstack("origin").round(1).to_string())
    print(f"\n{time.perf_counter() - start:.0f} seconds in all")


if __name__ == "__main__":
    main()
