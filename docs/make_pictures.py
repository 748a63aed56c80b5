"""Draw the pictures of docs/plotting.md: ``python docs/make_pictures.py``, in about a minute."""

from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import pandas as pd

from tsrnn import GRUForecaster, LinearForecaster, NaiveForecaster, compare
from tsrnn.datasets import load_nyc_weather
from tsrnn.plotting import BacktestDisplay, CalibrationDisplay, CompareDisplay, ForecastDisplay, LearningCurve

FOLDER = Path(__file__).parent / "pictures"
WINDOW = {"lookback": 48, "horizon": 24, "target": "temp", "missing": "ffill"}


def weather() -> pd.DataFrame:
    """The weather at one airport, hour by hour."""
    frame = load_nyc_weather().loc["JFK", ["temp", "dewp", "pressure"]]
    return frame.rename_axis("hour")


def save(name: str, display) -> None:
    """Write a picture."""
    display.figure_.savefig(FOLDER / f"{name}.png", dpi=100, metadata={"Software": None})
    plt.close(display.figure_)


def main() -> None:
    frame = weather()
    test_from = int(0.8 * len(frame))
    known, test = frame[:test_from], frame[test_from - WINDOW["lookback"] :]
    forecaster = GRUForecaster(loss="student_t", max_epochs=30, random_state=0, **WINDOW).fit(known)
    save("display_forecast", ForecastDisplay.from_estimator(forecaster, test, cutoff="2013-11-20 12:00"))
    save("display_learning_curve", LearningCurve.from_estimator(forecaster))
    save("display_backtest", BacktestDisplay.from_backtest(forecaster.backtest(test)))
    save("display_calibration", CalibrationDisplay.from_estimator(forecaster, test))
    chosen = {
        "GRU": forecaster,
        "ridge": LinearForecaster(**WINDOW),
        "last value": NaiveForecaster(**WINDOW),
        "same hour yesterday": NaiveForecaster(method="seasonal", **WINDOW),
    }
    names = ["ridge", "last value", "same hour yesterday"]
    found = compare(frame, chosen, every=24, train_length=test_from, baselines=names)
    save("display_compare", CompareDisplay.from_comparison(found))


if __name__ == "__main__":
    main()
