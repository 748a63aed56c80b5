"""Forecasters in scikit-learn's pipelines, searches and cross-validation, and its routing of metadata."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import get_tags

from tsrnn import DenseForecaster, GRUForecaster, LinearForecaster, NaiveForecaster, RNNForecaster

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

WINDOW = {"lookback": 7, "horizon": 3}
NETWORK = WINDOW | {"instance_norm": "last", "max_epochs": 2, "random_state": 0}
FORECASTERS = {
    "linear": LinearForecaster(**WINDOW),
    "naive": NaiveForecaster(**WINDOW),
    "dense": DenseForecaster(hidden_size=4, **NETWORK),
    "rnn": RNNForecaster(hidden_size=4, **NETWORK),
}
FOLDS = TimeSeriesSplit(3, test_size=20)


def data(rows=160, seed=0):
    """Daily covariates, and a target in the thousands that follows one of them two days later."""
    rng = np.random.default_rng(seed)
    wave = np.sin(np.arange(rows) * 2 * np.pi / 7) + 0.1 * rng.standard_normal(rows)
    columns = {"wave": wave, "walk": rng.standard_normal(rows).cumsum(), "noise": rng.standard_normal(rows)}
    frame = pd.DataFrame(columns, index=pd.date_range("2024-01-01", periods=rows, freq="D"))
    return frame, (5000 + 40 * frame["walk"].shift(2).bfill() + 10 * frame["wave"]).rename("sales")


def columns_scaled(scaler):
    """Two of the three covariates go through a scaler."""
    return ColumnTransformer(
        [("scale", scaler, ["walk", "noise"])], remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="pandas")


def make_pipeline(forecaster, scaler=None):
    return Pipeline([("columns", columns_scaled(scaler or StandardScaler())), ("forecaster", forecaster)])


@pytest.mark.parametrize("forecaster", FORECASTERS.values(), ids=FORECASTERS)
def test_a_pipeline_scales_covariates_and_forecasts_in_the_units_of_y(forecaster):
    """The same as each step by hand, stamps and name of the target included."""
    X, y = data()
    training, history = slice(None, 140), slice(20, 150)
    pipeline = make_pipeline(clone(forecaster)).fit(X[training], y[training])
    forecast = pipeline.predict(X[history], y=y[history])
    assert list(forecast.columns) == ["sales"]
    assert forecast.index.equals(X.index[150:153])
    np.testing.assert_allclose(forecast["sales"], y[150:153], rtol=0.1)

    scaler = StandardScaler().fit(X[training][["walk", "noise"]])
    by_hand = X.assign(**dict(zip(["walk", "noise"], scaler.transform(X[["walk", "noise"]]).T, strict=True)))
    by_hand = by_hand[["walk", "noise", "wave"]]
    alone = clone(forecaster).fit(by_hand[training], y[training])
    pd.testing.assert_frame_equal(forecast, alone.predict(by_hand[history], y[history]))
    assert pipeline.score(X[history], y[history]) == alone.score(by_hand[history], y[history])
    assert list(pipeline[-1].feature_names_in_) == ["walk", "noise", "wave"]


def test_the_target_is_scaled_by_the_forecaster_alone():
    """A pipeline that changes the unit of the covariates leaves the forecast as it is, but for rounding."""
    X, y = data()
    forecasts = [
        make_pipeline(LinearForecaster(**WINDOW), scaler).fit(X, y).predict(X, y=y)
        for scaler in (StandardScaler(), MinMaxScaler((-3, 50)))
    ]
    np.testing.assert_allclose(*forecasts, rtol=1e-4)
    in_cents = make_pipeline(LinearForecaster(**WINDOW)).fit(X, 100 * y).predict(X, y=100 * y)
    np.testing.assert_allclose(in_cents, 100 * forecasts[0], rtol=1e-4)


def test_a_panel_in_a_pipeline():
    """Series and stamps pass through as the columns that they are."""
    sites = {"A": data(100, 1), "B": data(120, 2)}
    X, y = (pd.concat({name: of[part] for name, of in sites.items()}, names=["site", "day"]) for part in (0, 1))
    indexed = make_pipeline(LinearForecaster(**WINDOW)).fit(X, y).predict(X, y=y)
    assert indexed.index.names == ["site", "day"] and len(indexed) == 6
    long, flat = X.reset_index(), y.reset_index(drop=True)
    pipeline = make_pipeline(LinearForecaster(id_col="site", time_col="day", **WINDOW)).fit(long, flat)
    forecast = pipeline.predict(long, y=flat)
    pd.testing.assert_frame_equal(forecast.set_index(["site", "day"]), indexed)


def test_the_target_may_be_a_column_that_passes_through():
    """Then there is no `y`, and `predict` and `score` take X alone."""
    X, y = data()
    frame = X.assign(sales=y)
    pipeline = make_pipeline(LinearForecaster(target="sales", **WINDOW)).fit(frame)
    expected = make_pipeline(LinearForecaster(**WINDOW)).fit(X, y)
    pd.testing.assert_frame_equal(pipeline.predict(frame), expected.predict(X, y=y), rtol=1e-6)
    assert pipeline.score(frame) == pytest.approx(expected.score(X, y), rel=1e-6)
    search = GridSearchCV(pipeline, {"forecaster__alpha": [0.1, 1e4]}, cv=FOLDS, error_score="raise").fit(frame)
    assert len(search.predict(frame)) == 3


@pytest.mark.parametrize("forecaster", FORECASTERS.values(), ids=FORECASTERS)
def test_cross_validation_scores_later_rows(forecaster):
    """Each fold by hand: fitted on what came before, scored on windows within the fold."""
    X, y = data()
    pipeline = make_pipeline(forecaster)
    expected = [
        clone(pipeline).fit(X.iloc[train], y.iloc[train]).score(X.iloc[test], y.iloc[test])
        for train, test in FOLDS.split(X)
    ]
    assert cross_val_score(pipeline, X, y, cv=FOLDS, error_score="raise").tolist() == expected
    assert np.isfinite(expected).all()


def test_a_grid_over_forecaster_and_transformer():
    X, y = data()
    pipeline = make_pipeline(GRUForecaster(**NETWORK | {"max_epochs": 8}))
    grid = {
        "forecaster__learning_rate": [1e-6, 1e-2],
        "columns__scale": [StandardScaler(), MinMaxScaler()],
    }
    search = GridSearchCV(pipeline, grid, cv=FOLDS, error_score="raise").fit(X, y)
    assert search.best_params_["forecaster__learning_rate"] == 1e-2  # the other leaves the network as it was drawn
    assert search.cv_results_["params"][search.best_index_] == search.best_params_
    best = clone(pipeline).set_params(**search.best_params_)
    assert search.best_score_ == pytest.approx(cross_val_score(best, X, y, cv=FOLDS).mean())
    expected = best.fit(X, y).predict(X, y=y)
    pd.testing.assert_frame_equal(search.best_estimator_.predict(X, y=y), expected)
    with pytest.raises(ValueError, match=r"'sales' came as `y` .* `search.best_estimator_.predict\(X, y=y\)`"):
        search.predict(X)


@pytest.mark.slow
def test_a_search_in_processes():
    """Forecasters and their results go to other processes and come back."""
    X, y = data(100)
    grid = {"forecaster__alpha": [0.1, 10.0]}
    one, two = (
        GridSearchCV(make_pipeline(LinearForecaster(**WINDOW)), grid, cv=FOLDS, n_jobs=n_jobs).fit(X, y)
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])


def test_clones_of_a_fitted_pipeline_are_not_fitted():
    X, y = data()
    pipeline = make_pipeline(GRUForecaster(hidden_size=[4, 5], **NETWORK)).fit(X, y)
    copy = clone(pipeline)
    assert copy[-1].get_params() == pipeline[-1].get_params()
    assert "state_" not in vars(copy[-1])
    pd.testing.assert_frame_equal(copy.fit(X, y).predict(X, y=y), pipeline.predict(X, y=y))


# ---- metadata routing ------------------------------------------------------------------------------------------
@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def weighted(forecaster):
    """A pipeline that gives `sample_weight` to its forecaster, and not to its scaler."""
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    return make_pipeline(forecaster.set_fit_request(sample_weight=True), scaler)


def late(rows):
    """Weights that grow with time."""
    return np.linspace(0, 1, rows) ** 4 + 0.01


def test_weights_reach_the_forecaster(routing):
    X, y = data()
    weights = late(len(X))
    pipeline = weighted(LinearForecaster(**WINDOW)).fit(X, y, sample_weight=weights)
    by_hand = make_pipeline(LinearForecaster(**WINDOW))
    with sklearn.config_context(enable_metadata_routing=False):
        by_hand.fit(X, y, forecaster__sample_weight=weights)
    expected = by_hand[-1].state_.model.coefficients
    np.testing.assert_array_equal(pipeline[-1].state_.model.coefficients, expected)
    unweighted = weighted(LinearForecaster(**WINDOW)).fit(X, y)
    assert not np.allclose(unweighted[-1].state_.model.coefficients, expected)


def test_the_history_of_the_target_is_routed_without_a_request(routing):
    X, y = data()
    pipeline = make_pipeline(LinearForecaster(**WINDOW)).fit(X, y)
    expected = pipeline[-1].predict(pipeline[:-1].transform(X), y)
    pd.testing.assert_frame_equal(pipeline.predict(X, y=y), expected)
    requested = make_pipeline(LinearForecaster(**WINDOW).set_predict_request(horizon=True)).fit(X, y)
    pd.testing.assert_frame_equal(requested.predict(X, y=y, horizon=2), expected.iloc[:2])


def test_weights_in_a_search(routing):
    """Weights are cut with the rows of each fold; they train, and do not enter the score."""
    X, y = data()
    weights = late(len(X))
    forecaster = LinearForecaster(**WINDOW).set_fit_request(sample_weight=True)
    expected = [
        clone(forecaster)
        .fit(X.iloc[train], y.iloc[train], sample_weight=weights[train])
        .score(X.iloc[test], y.iloc[test])
        for train, test in FOLDS.split(X)
    ]
    scores = cross_val_score(forecaster, X, y, cv=FOLDS, params={"sample_weight": weights}, error_score="raise")
    assert scores.tolist() == expected
    search = GridSearchCV(forecaster, {"alpha": [forecaster.alpha]}, cv=FOLDS, error_score="raise")
    search.fit(X, y, sample_weight=weights)
    assert search.best_score_ == pytest.approx(np.mean(expected))
    assert search.best_score_ != pytest.approx(cross_val_score(clone(forecaster), X, y, cv=FOLDS).mean())


def test_weights_that_nobody_asked_for_are_refused(routing):
    X, y = data()
    pipeline = make_pipeline(LinearForecaster(**WINDOW))
    with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="sample_weight"):
        pipeline.fit(X, y, sample_weight=late(len(X)))


# ---- tags --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("forecaster", FORECASTERS.values(), ids=FORECASTERS)
def test_tags(forecaster):
    tags = get_tags(forecaster)
    assert tags.target_tags.multi_output and not tags.target_tags.required
    assert not tags.input_tags.allow_nan
    assert get_tags(clone(forecaster).set_params(missing="ffill")).input_tags.allow_nan
    assert tags.estimator_type is None  # not a regressor, which would predict row by row
