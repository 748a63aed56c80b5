"""Scaling: scikit-learn's statistics, of training rows only, for each series or for all."""

import json

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from tsrnn.data import Panel, Scaling, fit_scaling

SKLEARN = {"standard": StandardScaler, "minmax": MinMaxScaler, "robust": RobustScaler}
KINDS = tuple(SKLEARN)


def make_panel(lengths=(40, 25, 60), seed=0, ids=None):
    rng = np.random.default_rng(seed)
    indptr = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    size = rng.uniform(0.1, 50, (len(lengths), 3))
    values = rng.gamma(2, size=(indptr[-1], 3)) * np.repeat(size, lengths, axis=0) + [0, 300, -20]
    ids = ids or tuple("abcdefgh"[: len(lengths)])
    return Panel(values.astype(np.float32), indptr, ids, np.zeros(len(lengths), np.int64))


@pytest.mark.parametrize("kind", KINDS)
def test_one_scale_for_all_series(kind):
    panel = make_panel()
    train_end = panel.indptr[:-1] + np.array([30, 20, 50])
    training = np.concatenate([panel.values[a:b] for a, b in zip(panel.indptr[:-1], train_end, strict=True)])
    scaling = fit_scaling(panel, train_end, kind, "global")
    expected = SKLEARN[kind]().fit(training.astype(float)).transform(panel.values.astype(float))
    scaled = scaling.transform(panel)
    assert scaled.dtype == np.float32 and scaled.flags.c_contiguous
    np.testing.assert_allclose(scaled, expected, rtol=2e-6, atol=2e-6)
    assert scaling.center.shape == scaling.scale.shape == (1, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_scale_for_each_series(kind):
    panel = make_panel()
    train_end = panel.indptr[:-1] + np.array([30, 25, 1])
    scaling = fit_scaling(panel, train_end, kind, "series")
    scaled = scaling.transform(panel)
    for series, (start, end) in enumerate(zip(panel.indptr[:-1], train_end, strict=True)):
        rows = slice(start, panel.indptr[series + 1])
        reference = SKLEARN[kind]().fit(panel.values[start:end].astype(float))
        expected = reference.transform(panel.values[rows].astype(float))
        np.testing.assert_allclose(scaled[rows], expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("scope", ["global", "series"])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_after_the_border_are_not_looked_at(kind, scope):
    panel = make_panel()
    train_end = panel.indptr[:-1] + np.array([30, 20, 50])
    scaling = fit_scaling(panel, train_end, kind, scope)
    other = make_panel()
    for start, end in zip(train_end, panel.indptr[1:], strict=True):
        other.values[start:end] = 1e6
    again = fit_scaling(other, train_end, kind, scope)
    np.testing.assert_array_equal(scaling.center, again.center)
    np.testing.assert_array_equal(scaling.scale, again.scale)


@pytest.mark.parametrize("scope", ["global", "series"])
@pytest.mark.parametrize("kind", [*KINDS, None])
def test_targets_are_scaled_back(kind, scope):
    panel = make_panel()
    scaling = fit_scaling(panel, panel.indptr[1:], kind, scope)
    scaled = scaling.transform(panel)
    _, rows = scaling.rows_for(panel)
    first = scaled[panel.indptr[:-1, None] + np.arange(4)][:, :, :2]  # (series, horizon, targets)
    back = scaling.inverse_targets(first, rows, 2)
    assert back.dtype == np.float64
    np.testing.assert_allclose(
        back, panel.values[panel.indptr[:-1, None] + np.arange(4)][:, :, :2], rtol=1e-5, atol=1e-4
    )


def test_no_scaling_leaves_the_bits():
    panel = make_panel()
    np.testing.assert_array_equal(fit_scaling(panel, panel.indptr[1:], None, "series").transform(panel), panel.values)


@pytest.mark.parametrize("scope", ["global", "series"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [0.0, 0.1, 1e7])
def test_constant_channel_has_scale_one(kind, scope, value):
    panel = make_panel()
    panel.values[:, 1] = value
    scaling = fit_scaling(panel, panel.indptr[1:], kind, scope)
    np.testing.assert_array_equal(scaling.scale[:, 1], 1)
    np.testing.assert_allclose(scaling.transform(panel)[:, 1], 0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_unseen_series_have_the_scale_of_their_rows(kind):
    panel = make_panel()
    scaling = fit_scaling(panel, panel.indptr[1:], kind, "series")
    other = make_panel((30, 20, 10), seed=1, ids=("new", "b", "newer"))
    wider, rows = scaling.rows_for(other)
    assert rows.tolist() == [3, 1, 4]
    assert wider.ids == ("a", "b", "c", "new", "newer")
    np.testing.assert_array_equal(wider.center[:3], scaling.center)
    np.testing.assert_array_equal(wider.center[3:], fit_scaling(other, other.indptr[1:], kind, "series").center[[0, 2]])
    assert scaling.ids == ("a", "b", "c")
    scaled = scaling.transform(other)
    known = slice(30, 50)
    np.testing.assert_allclose(scaled[known], (other.values[known] - scaling.center[1]) / scaling.scale[1], rtol=1e-5)
    expected = SKLEARN[kind]().fit_transform(other.values[:30].astype(float))
    np.testing.assert_allclose(scaled[:30], expected, rtol=2e-6, atol=2e-6)


def test_one_scale_serves_unseen_series():
    panel = make_panel()
    scaling = fit_scaling(panel, panel.indptr[1:])
    same, rows = scaling.rows_for(make_panel((9, 9), ids=("x", "y")))
    assert same is scaling and rows.tolist() == [0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_series_without_training_rows_has_the_scale_of_all(kind):
    panel = make_panel()
    train_end = panel.indptr[:-1] + np.array([30, 0, 50])
    scaling = fit_scaling(panel, train_end, kind, "series")
    for_all = fit_scaling(panel, train_end, kind, "global")
    np.testing.assert_array_equal(scaling.center[1], for_all.center[0])
    np.testing.assert_array_equal(scaling.scale[1], for_all.scale[0])
    alone = fit_scaling(panel, panel.indptr[:-1] + np.array([30, 25, 50]), kind, "series")
    np.testing.assert_array_equal(scaling.center[[0, 2]], alone.center[[0, 2]])
    # The last series without training rows lies at the end of the array.
    scaling = fit_scaling(panel, panel.indptr[:-1] + np.array([30, 25, 0]), kind, "series")
    np.testing.assert_array_equal(scaling.center[:2], alone.center[:2])


@pytest.mark.parametrize("kind", KINDS)
def test_more_rows_than_a_chunk(kind):
    panel = make_panel((70_000, 80_000))
    scaling = fit_scaling(panel, panel.indptr[:-1] + np.array([69_000, 10]), kind, "global")
    training = np.concatenate([panel.values[:69_000], panel.values[70_000:70_010]]).astype(float)
    expected = SKLEARN[kind]().fit(training).transform(panel.values.astype(float))
    np.testing.assert_allclose(scaling.transform(panel), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scope", ["global", "series"])
def test_saved_and_loaded(scope):
    panel = make_panel(ids=("a", 7, ("x", 2)))
    scaling = fit_scaling(panel, panel.indptr[1:], "standard", scope)
    arrays, values = scaling.arrays()
    again = Scaling.from_arrays(arrays, json.loads(json.dumps(values)))
    assert (again.scope, again.kind, again.ids) == (scaling.scope, scaling.kind, scaling.ids)
    np.testing.assert_array_equal(again.transform(panel), scaling.transform(panel))


def test_parameters():
    panel = make_panel()
    with pytest.raises(ValueError, match=r"`kind` of scaling.*'standard'"):
        fit_scaling(panel, panel.indptr[1:], "standrad")
    with pytest.raises(ValueError, match="`scope`"):
        fit_scaling(panel, panel.indptr[1:], "standard", "row")
