"""A forecaster as the last step of a scikit-learn pipeline, in a search, and in cross-validation of a panel.

Covariates come as they were measured: humidity in per cent, pressure with gaps, the direction of the wind in degrees. A
ColumnTransformer fills, scales and derives what the network reads; it learns from the training rows of each fold alone.
The target goes beside them as `y`: the forecaster scales it itself and gives forecasts in the units that it was given,
here degrees Fahrenheit, so nothing has to be scaled back.

`TimeSeriesSplit` cuts one series into folds, `PanelTimeSeriesSplit` cuts many series at the same moments.

Usage: python examples/pipeline.py
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tsrnn import BelowNaiveWarning, GRUForecaster, LinearForecaster, NaiveForecaster, PanelTimeSeriesSplit
from tsrnn.datasets import load_nyc_weather

COVARIATES = ["dewp", "humid", "pressure", "wind_dir", "wind_speed"]
WINDOW = {"lookback": 48, "horizon": 24, "missing": "ffill"}
FOLD = 21 * 24  # hours to test on: each forecast within them reads its 48 hours of history there too


def wind_vector(wind: pd.DataFrame) -> pd.DataFrame:
    """Where the wind blows from, east and north: 359 degrees lie beside 1, and a calm has no direction."""
    angle, speed = np.deg2rad(wind["wind_dir"]), wind["wind_speed"].clip(upper=60)  # a value of 1048 is an error
    return pd.DataFrame({"wind_east": speed * np.sin(angle), "wind_north": speed * np.cos(angle)})


def make_model(forecaster: BaseEstimator) -> Pipeline:
    """Columns, then the forecaster: frames all the way, so that the stamps stay with their rows."""
    columns = ColumnTransformer(
        [
            ("scaled", StandardScaler(), ["dewp", "humid"]),
            ("pressure", make_pipeline(SimpleImputer(), StandardScaler()), ["pressure"]),
            ("wind", FunctionTransformer(wind_vector), ["wind_dir", "wind_speed"]),
        ],
        verbose_feature_names_out=False,
    )
    return Pipeline([("columns", columns), ("forecaster", forecaster)]).set_output(transform="pandas")


def search(X: pd.DataFrame, y: pd.Series) -> GridSearchCV:
    """Does the wind help, and how wide should the network be? In folds that lie later and later."""
    network = GRUForecaster(instance_norm="last", max_epochs=5, random_state=0, **WINDOW)
    grid = {
        "forecaster__hidden_size": [8, 32],
        "columns__wind": ["drop", FunctionTransformer(wind_vector)],
    }
    return GridSearchCV(make_model(network), grid, cv=TimeSeriesSplit(3, test_size=FOLD), error_score="raise").fit(X, y)


def compare(panel: pd.DataFrame) -> pd.Series:
    """Skill of simple models over all airports, in folds that are cut at one moment for all of them."""
    folds = PanelTimeSeriesSplit(n_splits=3, test_size=FOLD)
    models = {
        "last value": NaiveForecaster(method="last", **WINDOW),
        "seasonal naive": NaiveForecaster(method="seasonal", **WINDOW),
        "linear (ridge)": LinearForecaster(scaler_scope="global", **WINDOW),
    }
    X, y = panel[COVARIATES], panel["temp"]
    return pd.Series({name: cross_val_score(make_model(m), X, y, cv=folds).mean() for name, m in models.items()})


def results(found: GridSearchCV) -> pd.DataFrame:
    """A line for each setting."""
    table = pd.DataFrame(found.cv_results_)
    wind = np.where(table["param_columns__wind"] == "drop", "no", "yes")
    chosen = {"hidden size": table["param_forecaster__hidden_size"], "wind": wind}
    return pd.DataFrame(chosen | {"skill": table["mean_test_score"], "std": table["std_test_score"]})


def main() -> None:
    start = time.perf_counter()
    warnings.filterwarnings("ignore", category=BelowNaiveWarning)  # the scores say it
    panel = load_nyc_weather()
    one = panel.loc["JFK"].iloc[:2500]
    found = search(one[COVARIATES], one["temp"])
    print("JFK: mean skill in three folds, 1 - MAE / MAE of the better naive forecast\n")
    print(results(found).round(3).to_string(index=False))

    # `predict` takes the history of the target beside that of the covariates.
    history = one.iloc[-7 * 24 :]
    forecast = found.best_estimator_.predict(history[COVARIATES], y=history["temp"])
    came = panel.loc["JFK", "temp"].reindex(forecast.index)
    print("\nThe next day at JFK, in degrees Fahrenheit\n")
    print(pd.DataFrame({"forecast": forecast["temp"].round(1), "came": came}).iloc[::4].to_string())

    print("\nAll airports: mean skill in three folds\n")
    print(compare(panel.groupby(level="origin").head(4000)).round(3).to_string())
    print(f"\n{time.perf_counter() - start:.0f} seconds in all")


if __name__ == "__main__":
    main()
