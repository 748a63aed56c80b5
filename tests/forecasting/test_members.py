"""Ensembles of seeds: the same bits on any threads, what is kept of each member, and how they forecast together."""

import numpy as np
import pandas as pd
import pytest

import tsrnn
from tsrnn import DivergedError, GRUForecaster
from tsrnn.forecasting.distributions import Quantiles
from tsrnn.forecasting.mixtures import Mixture
from tsrnn.training import SGD

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 3, "random_state": 0}


def thetas(forecaster):
    return [member.theta.tobytes() for member in forecaster.state_.model.members]


@pytest.fixture
def three(wide):
    return GRUForecaster(**TINY, n_members=3, n_jobs=2).fit(wide)


def test_members_are_networks_of_seeds_of_their_own(wide, three):
    alone = GRUForecaster(**TINY).fit(wide)
    assert thetas(three)[0] == alone.state_.model.theta.tobytes()
    assert len(set(thetas(three))) == 3
    for jobs in (1, 3, 7):
        again = GRUForecaster(**TINY, n_members=3, n_jobs=jobs).fit(wide)
        assert thetas(again) == thetas(three) and again.predict().equals(three.predict())
    pair = GRUForecaster(**TINY, n_members=2).fit(wide)
    assert thetas(pair) == thetas(three)[:2]


def test_the_forecast_is_the_mean_of_theirs(three):
    state = three.state_
    history, windows = three._history(state.tail, state), tsrnn.data.end_windows(state.tail, state.shape)
    each = [member.predict(history, windows) for member in state.model.members]
    np.testing.assert_allclose(three.predict().to_numpy(), np.mean(each, axis=0)[0], rtol=1e-12)


def test_what_is_told_of_each(wide):
    seen = []
    forecaster = GRUForecaster(**TINY | {"max_epochs": 8}, patience=1, learning_rate=0.3, n_members=3, n_jobs=2)
    forecaster.set_params(callbacks=[lambda record: seen.append((record.member, record.epoch))]).fit(wide)
    history = forecaster.history_
    assert list(history.columns)[:2] == ["member", "epoch"]
    assert history[["member", "epoch"]].apply(tuple, axis=1).tolist() == sorted(seen)
    for member, of_member in history.groupby("member"):
        best = forecaster.best_epoch_[member]
        assert best == of_member["epoch"].iloc[of_member["val_loss"].argmin()]
        stopped = "early_stopping" if len(of_member) > best else "max_epochs"
        assert forecaster.stopped_[member] == stopped
    assert len(forecaster.best_epoch_) == len(forecaster.stopped_) == 3


def test_a_callback_ends_the_member_that_it_is_told_of(wide):
    stop = [lambda record: record.member == 1 and record.epoch == 2]
    forecaster = GRUForecaster(**TINY, n_members=2, early_stopping=False, callbacks=stop).fit(wide)
    assert forecaster.stopped_ == ["max_epochs", "callback"]
    assert forecaster.history_["member"].tolist() == [0, 0, 0, 1, 1]


def test_an_interrupt_leaves_what_there_is(wide):
    def interrupt(record):
        if (record.member, record.epoch) == (1, 2):
            raise KeyboardInterrupt

    forecaster = GRUForecaster(**TINY, n_members=3, n_jobs=1, callbacks=[interrupt])
    with pytest.warns(UserWarning, match=r"interrupted after 5 epochs; it is fitted, as 2 networks .* epochs \d, \d"):
        forecaster.fit(wide)
    assert forecaster.stopped_ == ["max_epochs", "interrupt"]
    assert len(thetas(forecaster)) == 2 and np.isfinite(forecaster.predict().to_numpy()).all()


def test_the_member_that_diverged_is_named(wide):
    wild = {"learning_rate": 1e30, "clip_norm": None, "optimizer": SGD(), "loss": "mse", "batch_size": 16}
    with pytest.raises(DivergedError, match=r"^Member [01] of 2 .*: Training diverged") as caught:
        GRUForecaster(**TINY, **wild, n_members=2).fit(wide)
    assert isinstance(caught.value.history, pd.DataFrame)


def test_files_streams_and_summaries(wide, three, tmp_path):
    three.save(tmp_path / "three.tsrnn")
    loaded = tsrnn.load(tmp_path / "three.tsrnn")
    assert thetas(loaded) == thetas(three) and loaded.predict().equals(three.predict())
    assert loaded.best_epoch_ == three.best_epoch_ and loaded.history_.equals(three.history_)
    alone = GRUForecaster(**TINY).fit(wide)
    assert three.summary().n_params == 3 * alone.summary().n_params
    assert "Ensemble" in str(three.summary()) and "Ensemble" not in str(alone.summary())
    stream = three.stream(wide.iloc[:-1])
    np.testing.assert_allclose(stream.step(wide.iloc[-1]), three.predict(), rtol=1e-5, atol=1e-6)
    pd.testing.assert_frame_equal(three.gradient_flow(wide), alone.gradient_flow(wide))  # of the first


def test_warm_start_goes_on_with_each(wide, three):
    whole = GRUForecaster(**TINY, n_members=3, warm_start=True, learning_rate=1e-9).fit(wide)
    first = [np.frombuffer(theta, np.float32) for theta in thetas(whole)]
    whole.fit(wide)
    for before, after in zip(first, thetas(whole), strict=True):
        np.testing.assert_allclose(np.frombuffer(after, np.float32), before, atol=1e-6)
    with pytest.raises(ValueError, match=r"`n_members=2`, after 3"):
        whole.set_params(n_members=2).fit(wide)


@pytest.mark.parametrize(("loss", "kind"), [("quantile", Quantiles), ("gaussian", Mixture)])
def test_distributions_of_an_ensemble(wide, loss, kind):
    forecaster = GRUForecaster(**TINY, n_members=2, loss=loss).fit(wide)
    state = forecaster.state_
    windows = tsrnn.data.end_windows(state.tail, state.shape)
    found = state.model.distribution(forecaster._history(state.tail, state), windows)
    assert isinstance(found, kind)
    point = forecaster.predict().to_numpy()
    np.testing.assert_allclose(found.point()[0], point, rtol=1e-6)
    interval = forecaster.predict_interval(coverage=0.8).to_numpy().reshape(3, 3, 2)
    assert ((interval[..., 0] < point) & (point < interval[..., 1])).all()
    with pytest.raises(ValueError, match="n_members"):
        GRUForecaster(n_members=0).fit(wide)


def test_partial_fit_goes_on_with_each(wide):
    """Weights, moments and seeds are those of the member, as if it were alone."""
    alone, three = (GRUForecaster(**TINY, n_members=n, n_jobs=2).fit(wide[:100]) for n in (1, 3))
    before = three.state_
    alone.partial_fit(wide[100:]), three.partial_fit(wide[100:])
    first, *others = three.state_.model.members
    assert first.theta.tobytes() == alone.state_.model.theta.tobytes()
    np.testing.assert_array_equal(first.left.moments, alone.state_.model.left.moments)
    for old, new in zip(before.model.members[1:], others, strict=True):
        assert new.left.steps == first.left.steps > old.left.steps and not np.array_equal(new.theta, old.theta)
    assert three.history_["member"].tolist() == [0, 1, 2] and three.stopped_ == ["max_epochs"] * 3
    assert three.predict().equals(three.predict(wide))
    fresh = GRUForecaster(**TINY, n_members=2).partial_fit(wide)
    assert len(set(thetas(fresh))) == 2
    with pytest.raises(ValueError, match=r"`partial_fit` needs as many networks .* `n_members=4`, after 3"):
        three.set_params(n_members=4).partial_fit(wide[100:].shift(20, freq="D"))


def test_an_interrupt_loses_no_member_that_there_was(wide):
    def interrupt(record):
        raise KeyboardInterrupt

    three = GRUForecaster(**TINY, n_members=3, n_jobs=1).fit(wide[:100])
    state = three.state_
    with pytest.raises(KeyboardInterrupt):
        three.set_params(callbacks=[interrupt]).partial_fit(wide[100:])
    assert three.state_ is state


def test_a_checkpoint_holds_one_network(wide, tmp_path):
    with pytest.raises(ValueError, match=r"`checkpoint` holds the training of one network, and `n_members=2`"):
        GRUForecaster(**TINY, n_members=2, checkpoint=tmp_path / "file").fit(wide)
    assert not list(tmp_path.iterdir())


def test_streams_of_panels_and_rows_beyond_the_horizon(panel, tmp_path):
    pair = GRUForecaster(**TINY, n_members=2).fit(panel)
    ends = panel.groupby(level=0).tail(1)
    stream = pair.stream(panel.drop(ends.index))
    expected = pair.predict().to_numpy().reshape(3, 3, 3)
    np.testing.assert_allclose(stream.step(ends), expected, rtol=1e-5, atol=1e-6)
    stream.save(tmp_path / "stream")
    row = ends.to_numpy()[:, None].repeat(1, axis=1)[:, 0] + 1
    np.testing.assert_array_equal(tsrnn.Stream.load(tmp_path / "stream").step(row), stream.step(row))
    far = pair.predict(panel, horizon=5)
    for name in "ABC":
        own = panel.loc[[name]]
        index = far.loc[[name]].index[:3]
        grown = pd.concat([own, pd.DataFrame(pair.predict(own).to_numpy(), index, panel.columns)])
        np.testing.assert_allclose(far.loc[name][3:], pair.predict(grown)[:2], rtol=1e-6)
    paths = pair.sample(n=4, horizon=5, random_state=0)
    np.testing.assert_array_equal(paths.groupby(level=0).head(3), pair.sample(n=4, random_state=0))


@pytest.mark.parametrize("loss", ["mae", "gaussian"])
def test_a_series_of_its_own_each_and_nothing_below_zero(panel, loss, tmp_path):
    given = TINY | {"loss": loss, "n_members": 2, "validation_by": "series", "n_jobs": 2, "instance_norm": "last"}
    high = panel - panel.min()
    low = high - high.groupby(level=0).last()  # history whose forecasts go below zero
    free = GRUForecaster(**given).fit(high.loc[["B"]])
    local = GRUForecaster(**given, scope="local", non_negative=True).fit(high)
    assert len(local.state_.model.core.of("B").members) == 2
    expected = free.predict(low.loc[["B"]])
    assert (expected < 0).any(axis=None)
    np.testing.assert_array_equal(local.predict(low).loc[["B"]], np.maximum(expected, 0))
    local.save(tmp_path / "local.tsrnn")
    loaded = tsrnn.load(tmp_path / "local.tsrnn")
    for call in (
        lambda f: f.predict_interval(low),
        lambda f: f.predict_interval(low, horizon=5),
        lambda f: f.sample(low, n=3, random_state=0),
    ):
        found = call(local)
        assert (found >= 0).all(axis=None) and found.equals(call(loaded))
    stream = local.stream(high.loc[["B"]][:-1])
    np.testing.assert_allclose(stream.step(high.loc["B"].iloc[-1]), local.predict(high.loc[["B"]]), rtol=1e-5)
