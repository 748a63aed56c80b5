"""`scope="local"`: a model for each series, the same as if it had been fitted on that series alone."""

import numpy as np
import pandas as pd
import pytest

import tsrnn
from tsrnn import DenseForecaster, DivergedError, GRUForecaster, LinearForecaster, NaiveForecaster, RNNForecaster
from tsrnn.forecasting.local import side_by_side
from tsrnn.testing import check_forecaster

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 2, "random_state": 0, "validation_by": "series"}
GIVEN = {"lookback": 7, "horizon": 3, "validation_by": "series"}
FORECASTERS = [
    GRUForecaster(**TINY, dropout=0.3),
    DenseForecaster(**TINY, loss="gaussian"),
    LinearForecaster(**GIVEN),
    NaiveForecaster(**GIVEN, method="seasonal"),
]
by_class = pytest.mark.parametrize("forecaster", FORECASTERS, ids=lambda forecaster: type(forecaster).__name__)


def local(forecaster, **changes):
    return type(forecaster)(**forecaster.get_params() | {"scope": "local"} | changes)


@by_class
def test_each_model_is_that_of_its_series_alone(panel, forecaster):
    weights = np.random.default_rng(0).uniform(0.5, 2, len(panel))
    found = local(forecaster).fit(panel, sample_weight=weights)
    sites, history = panel.index.get_level_values("site"), found.historical_forecasts(panel, every=5)
    scores = []
    for name in "ABC":
        own = panel.loc[[name]]
        alone = type(forecaster)(**forecaster.get_params()).fit(own, sample_weight=weights[sites == name])
        pd.testing.assert_frame_equal(found.predict().loc[[name]], alone.predict())
        pd.testing.assert_frame_equal(found.predict(own, horizon=7), alone.predict(own, horizon=7))
        rows = history[history["site"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, alone.historical_forecasts(own, every=5))
        scores.append(alone.backtest(own, metrics=["mae"]).metrics["mae"])
        stream = found.stream(own[:-1])
        np.testing.assert_allclose(stream.step(own.iloc[-1].to_numpy()), alone.predict(own), rtol=1e-5)
    by_series = found.backtest(panel, metrics=["mae"]).by_series()["mae"]
    np.testing.assert_allclose(by_series.to_numpy(), pd.concat(scores).to_numpy(), rtol=1e-6)


@by_class
def test_the_same_for_any_number_of_threads_and_after_loading(panel, forecaster, tmp_path):
    one, three = local(forecaster), local(forecaster)
    one.n_jobs, three.n_jobs = 1, 3  # no parameter of the baselines
    one.fit(panel), three.fit(panel)
    one.save(tmp_path / "model.tsrnn")
    loaded = tsrnn.load(tmp_path / "model.tsrnn")
    calls = (
        lambda f: f.predict(),
        lambda f: f.predict_interval(horizon=5),
        lambda f: f.predict_quantiles(panel.loc[["C", "A"]]),
        lambda f: f.sample(n=3, random_state=0),
    )
    for call in calls:
        pd.testing.assert_frame_equal(call(one), call(three))
        pd.testing.assert_frame_equal(call(one), call(loaded))
    assert one.score(panel) == three.score(panel) == loaded.score(panel)
    summary = str(loaded.summary())
    assert (
        "A model for each series" in summary and f"{type(forecaster).__name__}, {3 * per_series(one):,} para" in summary
    )


def per_series(forecaster):
    return forecaster.state_.model.models[0].n_params


def test_the_conformance_suite():
    check_forecaster(lambda: LinearForecaster(lookback=6, horizon=2, scope="local"))


def test_series_that_fit_has_not_seen(panel):
    forecaster = LinearForecaster(**GIVEN, scope="local").fit(panel.loc[["A", "B"]])
    for call in (forecaster.predict, forecaster.score, forecaster.historical_forecasts):
        with pytest.raises(ValueError, match="X holds 1 that `fit` has not seen: 'C'. Fit with their rows too"):
            call(panel)
    with pytest.raises(ValueError, match="has not seen: 'C'"):
        forecaster.stream(panel.loc[["C"]])


def test_a_series_without_a_training_window(panel):
    late = panel.loc[["C"]].iloc[-12:].rename(index={"C": "late"}, level=0)
    rows = pd.concat([panel, late])
    with pytest.raises(ValueError) as caught:
        LinearForecaster(lookback=7, horizon=3, scope="local", validation_by="series", validation_fraction=0.5).fit(
            rows
        )
    assert "needs a training window in each series; the series 'late' has none before the validation part" in str(
        caught.value
    )


def test_validation_rows_of_ones_own(panel):
    held_out = panel.loc[["B", "A"]]  # not of C, which goes without
    found = GRUForecaster(**TINY, scope="local").fit(panel, X_val=held_out)
    alone = GRUForecaster(**TINY).fit(panel.loc[["B"]], X_val=panel.loc[["B"]])
    pd.testing.assert_frame_equal(found.predict().loc[["B"]], alone.predict())
    assert np.isfinite(found.predict().to_numpy()).all()


def test_one_model_after_another_goes_on_from_its_weights(panel):
    """From its own, and from those of one model for all."""
    still = TINY | {"max_epochs": 1, "learning_rate": 1e-12, "warm_start": True}
    for scope in ("local", "global"):
        forecaster = GRUForecaster(**TINY, scope=scope).fit(panel)
        before = forecaster.predict()
        after = forecaster.set_params(**still, scope="local").fit(panel).predict()
        np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="after a model for each of 3 series"):
        forecaster.set_params(scope="global").fit(panel)


def test_what_goes_wrong_says_in_which_series(panel):
    wild = TINY | {"learning_rate": 1e30, "clip_norm": None, "optimizer": "sgd", "loss": "mse"}
    with pytest.raises(DivergedError, match="The model of the series 'A': ") as caught:
        DenseForecaster(**wild, scope="local", n_jobs=1).fit(panel)
    assert caught.value.best_state is not None or caught.value.history is not None


def test_there_is_no_one_network_to_look_into(panel):
    forecaster = RNNForecaster(**TINY, scope="local").fit(panel)
    with pytest.raises(ValueError, match="no one network to look into, but a model for each of 3 series"):
        forecaster.gradient_flow(panel)


def test_memory_is_that_of_the_fits_at_once(panel):
    one, two, three = (
        GRUForecaster(**TINY, scope="local", n_jobs=jobs).memory_estimate(panel).phases["training"]["tapes"]
        for jobs in (1, 2, 5)
    )
    assert two == 2 * one and three == 3 * one


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_after_an_error_nothing_more_is_begun(n_jobs):
    done = []

    def call(number):
        if number == 2:
            raise ZeroDivisionError
        done.append(number)
        return number

    with pytest.raises(ZeroDivisionError):
        side_by_side([lambda number=number: call(number) for number in range(1000)], n_jobs)
    assert len(done) < 1000 and (n_jobs > 1 or done == [0, 1])
    assert side_by_side([lambda number=number: number for number in range(50)], n_jobs) == list(range(50))
    assert side_by_side([], n_jobs) == []


def test_a_history_that_goes_on(panel, tmp_path):
    start = pd.concat([panel.loc[[name]][:80] for name in "ABC"])
    rest = pd.concat([panel.loc[[name]][80:] for name in "ABC"])
    forecaster = GRUForecaster(**TINY, scope="local").fit(start)
    expected = forecaster.predict(panel)
    pd.testing.assert_frame_equal(forecaster.update(rest).predict(), expected)
    with pytest.raises(
        ValueError, match='`partial_fit` goes on with one model for all series: fit with `scope="global"`'
    ):
        forecaster.partial_fit(rest)
    with pytest.raises(
        ValueError, match='`checkpoint` holds the training of one model; leave it out with `scope="local'
    ):
        GRUForecaster(**TINY, scope="local", checkpoint=tmp_path / "training").fit(start)
