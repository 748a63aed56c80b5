"""A history that goes on: `update` and `partial_fit` against reading, and training on, all rows together."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import tsrnn
from tsrnn import DenseForecaster, GRUForecaster, LinearForecaster, NaiveForecaster
from tsrnn.data import all_windows
from tsrnn.forecasting.networks import NetworkForecaster
from tsrnn.forecasting.strategies import STRATEGIES

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 2, "random_state": 0}
FORECASTERS = {
    "last": NaiveForecaster(horizon=3),
    "seasonal": NaiveForecaster(method="seasonal", season_length=11, lookback=2, horizon=13),
    "drift": NaiveForecaster(method="drift", lookback=5, sampling_rate=2, horizon=3),
    "mean": NaiveForecaster(method="mean", lookback=5, horizon=3, gap=2),
    "linear": LinearForecaster(lookback=7, horizon=3, gap=1),
    "dense": DenseForecaster(**TINY),
    "recurrent": GRUForecaster(**TINY, instance_norm="last"),
    "recursive": GRUForecaster(**TINY, strategy="recursive"),
}


def until(panel, day):
    return panel[panel.index.get_level_values("day") < day]


def since(panel, day, end="2025"):
    days = panel.index.get_level_values("day")
    return panel[(days >= day) & (days < end)]


def fresh(forecaster, **changes):
    return type(forecaster)(**forecaster.get_params() | changes)


def unchanged(forecaster, call, error, message):
    before = dict(vars(forecaster))
    with pytest.raises(error, match=message):
        call()
    assert list(before) == list(vars(forecaster)) and all(vars(forecaster)[name] is before[name] for name in before)


@pytest.mark.parametrize("forecaster", FORECASTERS.values(), ids=FORECASTERS)
def test_predict_after_update_is_predict_on_all_rows(forecaster, panel):
    """Series by series, in steps of one row and many; a series may stand still, and one may be new."""
    late = panel.loc[["B"]].rename(index={"B": "D"}, level="site")
    whole = pd.concat([panel, since(late, "2024-03-20")])
    known = until(panel, "2024-03-20")
    forecaster = fresh(forecaster).fit(known)
    first = forecaster.predict()
    seen = known
    for start, end in [("2024-03-20", "2024-03-21"), ("2024-03-21", "2024-04-10"), ("2024-04-10", "2025")]:
        rows = since(panel if start < "2024-03-21" else whole, start, end)
        if start == "2024-03-21":  # all that the new series has had
            rows = pd.concat([rows, since(late, "2024-03-20", "2024-03-21")]).sort_index()
        seen = pd.concat([seen, rows])
        assert forecaster.update(rows) is forecaster
        everything = forecaster.predict(seen)
        pd.testing.assert_frame_equal(forecaster.predict(), everything.loc[forecaster.predict().index])
        assert len(everything) == len(forecaster.predict())
    assert not forecaster.predict().equals(first)
    assert list(forecaster.predict().index.unique("site")) == ["A", "B", "C", "D"]
    assert forecaster.predict(known).equals(first)  # nothing was learned


@pytest.mark.parametrize("kind", ["array", "polars", "numbered", "months", "series", "y", "long"])
def test_every_layout(kind, wide):
    wide, split = wide[["wave", "walk"]], 100
    tables = {
        "array": wide.to_numpy(),
        "numbered": wide.set_axis(pd.RangeIndex(5, 5 + 120)),
        "months": wide.set_axis(pd.period_range("2000-01", periods=120, freq="M")),
        "series": wide["wave"],
        "y": wide[["walk"]],
        "long": pd.concat({"A": wide, "B": -wide}, names=["site", "day"]).sort_index(level="day").reset_index(),
    }
    if kind == "polars":
        tables["polars"] = pytest.importorskip("polars").DataFrame({"wave": wide["wave"].to_numpy()})
    table, y = tables[kind], wide["wave"] if kind == "y" else None
    given = {"id_col": "site", "time_col": "day"} if kind == "long" else {}
    split = 2 * split if kind == "long" else split
    both = slice(split), slice(split, None)
    known, ahead = ((table[part],) if y is None else (table[part], y[part]) for part in both)
    forecaster = LinearForecaster(lookback=7, horizon=3, **given).fit(*known).update(*ahead)
    expected = forecaster.predict(*((table,) if y is None else (table, y)))
    assert forecaster.predict().equals(expected)
    if kind in ("array", "polars"):  # nothing says that these rows are known
        assert len(forecaster.update(*ahead).predict()) == 3
    if kind == "numbered":
        with pytest.raises(ValueError, match="20 rows do not, the first at 105, where the next row is that of 125"):
            forecaster.update(*ahead)


def test_missing_values_are_filled_as_if_all_had_been_read_together(wide):
    """A hole between the two parts, and one at the beginning of the second."""
    wide.iloc[100, 0] = wide.iloc[101:104, 1] = np.nan
    rows = wide.drop(wide.index[[98, 99, 110]])
    forecaster = LinearForecaster(lookback=30, horizon=3).fit(wide[:98])
    for given, message in [
        (rows[98:], "absent stamps: 3, the first 2024-04-08"),
        (wide[98:], "column 'wave': 1 missing, the first at 2024-04-10"),
    ]:
        unchanged(forecaster, lambda given=given: forecaster.update(given), ValueError, message)
    forecaster = LinearForecaster(lookback=30, horizon=3, missing="ffill").fit(wide[:98])
    assert forecaster.update(rows[98:]).predict().equals(forecaster.predict(rows))


def test_rows_that_do_not_follow(panel):
    forecaster = LinearForecaster(lookback=7, horizon=3).fit(until(panel, "2024-04-01"))
    ahead = since(panel, "2024-04-01")
    far = ahead.loc[["A"]].set_axis(
        ahead.loc[["A"]].index.set_levels(ahead.index.levels[1] + pd.DateOffset(years=4000), level=1)
    )
    overlap = (
        r"must follow the history; 5 rows do not, the first at 2024-03-30.*'A', where the next row is that of 2024-04-"
    )
    for rows, message in [
        (since(panel, "2024-03-30"), overlap + r"01 00:00:00\. Leave out what is known"),
        (until(panel, "2024-02-01"), "do not, the first at 2024-01-01"),
        (pd.concat([ahead, ahead.iloc[:1]]), "Stamps must not come twice"),
        (since(panel, "2024-04-03"), "absent stamps: 4, the first 2024-04-01 00:00:00 .series 'A'"),
        (ahead.loc[["B"]].iloc[:3].rename(index={"B": "new"}, level="site"), "'new', has 3. Give more history"),
        (ahead[["wave"]], "lacks 'walk', 'noise'"),
        (far, "too wide a hole: .* steps are absent between the history and them"),
    ]:
        unchanged(forecaster, lambda rows=rows: forecaster.update(rows), ValueError, message)
    assert forecaster.update(ahead.iloc[::-1]).predict().sort_index().equals(forecaster.predict(panel).sort_index())


def test_unfitted():
    with pytest.raises(NotFittedError):
        NaiveForecaster().update(np.arange(9.0))


@pytest.mark.parametrize("strategy", ["direct", "recursive", "seq2seq"])
def test_windows_of_partial_fit(strategy, panel, monkeypatch):
    """Each is learned once: those of `fit` and of all calls of `partial_fit` together are those of all rows."""
    learned = []
    real = NetworkForecaster._learn

    def noting(self, prepared, *given):
        inner, windows = prepared.training.panel, prepared.training.windows
        ticks = inner.ticks(windows.origin)
        learned.extend(zip([inner.ids[s] for s in windows.series], ticks.tolist(), strict=True))
        return real(self, prepared, *given)

    monkeypatch.setattr(NetworkForecaster, "_learn", noting)
    forecaster = GRUForecaster(**TINY | {"max_epochs": 1}, strategy=strategy, gap=1, validation_fraction=0)
    forecaster.fit(until(panel, "2024-03-20"))
    for start, end in [("2024-03-20", "2024-03-21"), ("2024-03-21", "2024-04-10"), ("2024-04-10", "2025")]:
        forecaster.partial_fit(since(panel, start, end))
    whole = forecaster._read(panel, None)
    windows = all_windows(whole, STRATEGIES[strategy].trained_shape(forecaster.state_.shape))
    expected = zip([whole.ids[s] for s in windows.series], whole.ticks(windows.origin).tolist(), strict=True)
    assert sorted(learned) == sorted(expected)


def test_partial_fit_goes_on(wide):
    """Scales, moments and the count of steps are kept; the pass is the same as a warm `fit` of one epoch on them."""
    forecaster = DenseForecaster(**TINY, batch_size=8).fit(wide[:100])
    before = forecaster.state_
    forecaster.partial_fit(wide[100:])
    after = forecaster.state_
    assert after.model.left.steps == before.model.left.steps + 3  # 20 windows
    assert after.scaling is before.scaling
    assert not np.array_equal(after.model.theta, before.model.theta)
    assert (len(forecaster.history_), forecaster.stopped_, after.skill) == (1, "max_epochs", None)
    assert forecaster.predict().equals(forecaster.predict(wide))
    with pytest.raises(AttributeError, match="the last training had none"):
        print(forecaster.baseline_skill_)
    again = DenseForecaster(**TINY, batch_size=8).fit(wide[:100])
    again.state_.model.left.moments[:] = 0
    assert not np.array_equal(again.partial_fit(wide[100:]).state_.model.theta, after.model.theta)
    other = DenseForecaster(**TINY, batch_size=8).fit(wide[:100]).set_params(optimizer="sgd").partial_fit(wide[100:])
    assert other.state_.model.left.steps == 3 and len(other.state_.model.left.moments) == 1


def test_warm_start_goes_on_with_the_optimizer(wide):
    forecaster = DenseForecaster(**TINY, warm_start=True).fit(wide)
    left = forecaster.state_.model.left
    forecaster.set_params(max_epochs=1).fit(wide)
    assert forecaster.state_.model.left.steps == left.steps * 3 // 2
    forecaster.set_params(optimizer="sgd").fit(wide)
    assert forecaster.state_.model.left.steps == left.steps // 2


def test_partial_fit_learns(wide):
    """Of a forecaster that hardly knew anything."""
    wave = wide[["wave"]]
    forecaster = DenseForecaster(**TINY | {"max_epochs": 1, "learning_rate": 0.01}).fit(wave[:60])
    loss = []
    for start in range(60, 120, 10):
        loss.append(forecaster.partial_fit(wave[start : start + 10]).history_["loss"][0])
    assert loss[-1] < 0.8 * loss[0]


def test_a_first_partial_fit(wide):
    """Is a first pass over all windows, with the scales of these rows."""
    forecaster = DenseForecaster(**TINY).partial_fit(wide[:100])
    whole = DenseForecaster(**TINY | {"max_epochs": 1}, validation_fraction=0).fit(wide[:100])
    assert forecaster.predict().equals(whole.predict())
    assert forecaster.cutoff_ == []
    assert forecaster.partial_fit(wide[100:]).predict().equals(whole.partial_fit(wide[100:]).predict())


def test_what_partial_fit_refuses(wide, panel):
    forecaster = DenseForecaster(**TINY).fit(until(panel, "2024-04-01"))
    ahead = since(panel, "2024-04-01")
    for change, message in [
        ({"hidden_size": 5}, "`partial_fit` needs the layers, windows and number of columns of the last"),
        ({"lookback": 8}, re.escape("the last `fit`, which has `lookback=7`; got 8. Set it back")),
        ({"gap": 1}, "`gap=0`; got 1"),
    ]:
        forecaster.set_params(**change)
        unchanged(forecaster, lambda: forecaster.partial_fit(ahead), ValueError, message)
        forecaster.set_params(**TINY, gap=0)
    short = ahead.loc[["B"]].iloc[:8].rename(index={"B": "new"}, level="site")
    unchanged(forecaster, lambda: forecaster.partial_fit(short), ValueError, "a series that is new must have 10 rows")
    unchanged(forecaster, lambda: forecaster.partial_fit(panel), ValueError, "Rows must follow the history")


def test_partial_fit_of_distributions(wide):
    """Intervals stay calibrated by the last fit; another distribution cannot go on from these weights."""
    wave = wide[["wave"]]
    forecaster = DenseForecaster(**TINY, loss="student_t").fit(wave[:100])
    before = forecaster.state_
    forecaster.partial_fit(wave[100:])
    after = forecaster.state_
    assert after.calibration.scores is before.calibration.scores and after.scale is before.scale
    assert after.model.head == before.model.head and not np.array_equal(after.model.theta, before.model.theta)
    pd.testing.assert_frame_equal(forecaster.predict_interval(), forecaster.predict_interval(wave))
    poisson = DenseForecaster(**TINY, loss="poisson").fit((wave[:100] > 0).astype(float))
    for one, rows, loss, message in [
        (forecaster, wave[:9].shift(120, freq="D"), "gaussian", r"and its distribution; got .* after .*StudentT"),
        (poisson, (wave[100:] > 0).astype(float), "mse", "and its distribution"),
        (poisson, wave[100:], "poisson", "must hold counts"),
    ]:
        one.set_params(loss=loss)
        unchanged(one, lambda one=one, rows=rows: one.partial_fit(rows), ValueError, message)


def test_intervals_of_series_that_are_new(panel):
    """Their errors are in the spread of the rows that they came with, from then on."""
    walk = panel[["walk"]]
    forecaster = LinearForecaster(lookback=7, horizon=3, scaler_scope="global").fit(walk.loc[["A"]])
    late = walk.loc[["B"]]

    def widths():
        interval = forecaster.predict_interval(coverage=0.8)["walk", 0.8]
        width = (interval["upper"] - interval["lower"]).unstack("day").to_numpy()
        return {site: row[~np.isnan(row)] for site, row in zip("AB", width, strict=False)}

    alone = widths()["A"]
    forecaster.update(late[:60])
    first = widths()
    spread = forecaster.state_.calibration.units.scale[0, 0]  # of the first series, as the fit learned it
    np.testing.assert_allclose(first["B"] / first["A"], late[:60].std(ddof=0).iloc[0] / spread, rtol=1e-4)
    forecaster.update(late[60:70])
    for site, width in widths().items():
        np.testing.assert_allclose(width, first[site], rtol=1e-6)
    np.testing.assert_allclose(first["A"], alone, rtol=1e-6)


@pytest.mark.parametrize("forecaster", [FORECASTERS["linear"], FORECASTERS["dense"]], ids=["linear", "dense"])
def test_files_and_copies_go_on_alike(forecaster, wide, tmp_path):
    forecaster = fresh(forecaster).fit(wide[:90])
    forecaster.save(tmp_path / "file")
    loaded = tsrnn.load(tmp_path / "file")
    for one in (forecaster, loaded):
        one.update(wide[90:100])
        if isinstance(one, NetworkForecaster):
            one.partial_fit(wide[100:])
    assert loaded.predict().equals(forecaster.predict())
    loaded.save(tmp_path / "again")
    assert tsrnn.load(tmp_path / "again").predict().equals(forecaster.predict())
