"""Distributions: their mathematics, and forecasters that learn them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tsrnn import DenseForecaster, GRUForecaster, load
from tsrnn.forecasting.distributions import Quantiles, distribution_of
from tsrnn.nn.heads import DISTRIBUTIONS

RNG = np.random.default_rng(0)
SHAPE = (3, 2, 2)
U = np.array([0.001, 0.04, 0.3, 0.5, 0.77, 0.96, 0.9995])
PARAMETERS = {
    "gaussian": [RNG.normal(size=SHAPE), RNG.uniform(0.5, 2, SHAPE)],
    "laplace": [RNG.normal(size=SHAPE), RNG.uniform(0.5, 2, SHAPE)],
    "student_t": [RNG.normal(size=SHAPE), RNG.uniform(0.5, 2, SHAPE), RNG.uniform(3, 9, SHAPE)],
    "poisson": [RNG.uniform(0.2, 3, SHAPE)],
    "negative_binomial": [RNG.uniform(0.2, 3, SHAPE), RNG.uniform(0.1, 2, SHAPE)],
    "quantile": list(np.moveaxis(np.sort(RNG.normal(size=(*SHAPE, 7)), axis=-1), -1, 0)),
}
CENTER, SCALE = RNG.normal(size=(3, 2)), RNG.uniform(1, 4, (3, 2))


def made(name):
    center = np.zeros((3, 2)) if name in ("poisson", "negative_binomial") else CENTER
    return distribution_of(DISTRIBUTIONS[name], np.stack(PARAMETERS[name], axis=-1), center, SCALE)


@pytest.mark.parametrize("name", PARAMETERS)
def test_ppf_inverts_cdf_and_gives_the_mean(name):
    found = made(name)
    quantiles = found.ppf(U)
    assert quantiles.shape == (*SHAPE, len(U)) and (np.diff(quantiles, axis=-1) >= 0).all()
    for k, u in enumerate(U):
        cdf = found.cdf(quantiles[..., k])
        if name in ("poisson", "negative_binomial"):
            step = found.family.pmf(quantiles[..., k], **found.arguments) / 2
            assert (np.abs(cdf - u) <= step + 1e-9).all()
        else:
            np.testing.assert_allclose(cdf, u, atol=1e-9)
    grid = (np.arange(40_000) + 0.5) / 40_000
    np.testing.assert_allclose(found.ppf(grid).mean(axis=-1), found.mean(), rtol=0.01, atol=0.01)
    point = found.mean() if name in ("poisson", "negative_binomial") else found.ppf([0.5])[..., 0]
    np.testing.assert_allclose(found.point(), point, atol=1e-9)


def test_at_takes_a_probability_for_each_number_and_more_axes_in_front():
    found, u = made("student_t"), RNG.uniform(size=(5, *SHAPE))
    loc, scale, df = PARAMETERS["student_t"]
    expected = stats.t.ppf(u, df) * scale * SCALE[:, None] + loc * SCALE[:, None] + CENTER[:, None]
    np.testing.assert_allclose(found.at(u), expected)
    quantiles = made("quantile")
    each = np.stack([quantiles.at(part) for part in u])
    np.testing.assert_array_equal(quantiles.at(u), each)


def test_quantiles_that_fall_together_are_a_step():
    found = Quantiles(np.array([0.1, 0.5, 0.9]), np.zeros((1, 1, 1, 3)))
    assert found.at(np.full((1, 1, 1), 0.01)) == found.at(np.full((1, 1, 1), 0.99)) == found.mean() == 0
    assert [found.cdf(np.full((1, 1, 1), value)) for value in (-1.0, 1.0)] == [0, 1]


def frame_of(values):
    return pd.DataFrame({"y": values}, index=pd.date_range("2024-01-01", periods=len(values), freq="h"))


def fitted(values, loss, **settings):
    given = {"lookback": 4, "horizon": 2, "max_epochs": 25, "learning_rate": 5e-3, "random_state": 0} | settings
    return DenseForecaster(hidden_size=4, loss=loss, patience=25, **given).fit(frame_of(values))


def learned(forecaster, values):
    """The distributions of all windows of some rows, and what came."""
    from tsrnn.data import all_windows
    from tsrnn.forecasting.skill import actual_values

    state, panel = forecaster.state_, forecaster._read(frame_of(values), None)
    windows = all_windows(panel, state.shape)
    found = state.model.distribution(forecaster._history(panel, state), windows)
    return found, actual_values(panel, windows, state.shape, 1)


@pytest.mark.parametrize("name", ["gaussian", "laplace", "student_t", "quantile"])
@pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
def test_known_distributions_are_found(name):
    noise = {
        "gaussian": lambda size: RNG.normal(20, 3, size),
        "laplace": lambda size: RNG.laplace(20, 3, size),
        "student_t": lambda size: 20 + 3 * RNG.standard_t(4, size),
        "quantile": lambda size: RNG.exponential(3, size),
    }[name]
    found, actual = learned(fitted(noise(3000), name), noise(4000))
    u = found.cdf(actual)
    for level in (0.1, 0.25, 0.5, 0.75, 0.9):  # what came is spread evenly
        assert abs((u < level).mean() - level) < 0.03
    if name != "quantile":
        assert np.median(found.point()) == pytest.approx(20, abs=0.4)
        assert np.median(found.arguments["scale"]) == pytest.approx(3, rel=0.12)


@pytest.mark.parametrize(("name", "dispersion"), [("poisson", 0.0), ("negative_binomial", 0.5)])
@pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
def test_known_counts_are_found_zeros_included(name, dispersion):
    mean = 1.6
    rates = mean if not dispersion else RNG.gamma(1 / dispersion, mean * dispersion, 4000)
    values = RNG.poisson(rates, 4000)
    assert (values == 0).mean() > 0.15
    found, _ = learned(fitted(values[:3000], name), values[3000:])
    assert np.median(found.point()) == pytest.approx(mean, rel=0.1)
    variance = np.asarray(found.family.var(**found.arguments))
    assert np.median(variance) == pytest.approx(mean + dispersion * mean**2, rel=0.2)
    assert (found.ppf([0.01]) >= 0).all()


@pytest.mark.parametrize("loss", ["student_t", "negative_binomial", "quantile"])
@pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")
def test_forecasts_are_the_same_after_saving_and_in_a_stream(loss, tmp_path):
    values = RNG.poisson(3 + 2 * np.sin(np.arange(200) / 4))
    norm = None if loss == "negative_binomial" else "standard"
    forecaster = GRUForecaster(
        loss=loss, lookback=6, horizon=3, hidden_size=4, max_epochs=2, random_state=0, instance_norm=norm
    ).fit(frame_of(values))
    forecast = forecaster.predict()
    forecaster.save(tmp_path / "model")
    again = load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.predict(), forecast, check_exact=True)
    stream = forecaster.stream(frame_of(values[:-1]))
    np.testing.assert_allclose(stream.step([values[-1]]), forecast.to_numpy(), rtol=1e-5)


def test_any_number_of_threads_learns_the_same_bits():
    values, given = RNG.normal(size=200), {"lookback": 3, "horizon": 2, "hidden_size": 3, "max_epochs": 2}
    fits = [DenseForecaster(loss="gaussian", random_state=0, n_jobs=n, **given).fit(frame_of(values)) for n in (1, 2)]
    np.testing.assert_array_equal(fits[0].state_.model.theta, fits[1].state_.model.theta)


def test_what_does_not_go_together_is_refused():
    values = RNG.poisson(2, 100).astype(float)
    with pytest.raises(ValueError, match='needs `strategy="direct"`'):
        GRUForecaster(loss="gaussian", strategy="seq2seq").fit(frame_of(values))
    with pytest.raises(ValueError, match="Set `instance_norm=None`"):
        GRUForecaster(loss="poisson", instance_norm="last").fit(frame_of(values))
    with pytest.raises(ValueError, match='needs `loss="quantile"`'):
        GRUForecaster(quantiles=[0.1]).fit(frame_of(values))
    with pytest.raises(ValueError, match="quantiles"):
        GRUForecaster(loss="quantile", quantiles=[0.1, 1.0]).fit(frame_of(values))
    for wrong in (-1.0, 0.5):
        values[7] = wrong
        with pytest.raises(ValueError, match=r"must hold counts .*; 1 of 100 rows do not, the first at 2024-01-01 07"):
            GRUForecaster(loss="negative_binomial").fit(frame_of(values))
