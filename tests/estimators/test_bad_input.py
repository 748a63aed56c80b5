"""What is refused: each message says what was wrong, what was expected, what was got, where, and what to do."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sequence_sets import TINY, given, make_ragged, make_sequences, targets_for
from sklearn.exceptions import NotFittedError

from tsrnn import ModelFileError, RNNClassifier, RNNRegressor
from tsrnn.nn import GRU, Dense, Flatten, SimpleRNN

X, Y = make_sequences()
RAGGED, SUMS = make_ragged()
TABLE = X.reshape(40, -1)


def with_(array, place, value):
    changed = array.copy()
    changed[place] = value
    return changed


def ragged_with(index, value):
    return [value if i == index else x for i, x in enumerate(RAGGED)]


BAD = {  # X, y, parameters, what the message says
    "nothing": (X[:0], Y[:0], {}, ["at least one sequence", "(0, 6, 2)"]),
    "no steps": (X[:, :0], Y, {}, ["at least one sequence of one step", "(40, 0, 2)"]),
    "no features": (X[:, :, :0], Y, {}, ["one feature", "(40, 6, 0)"]),
    "texts": (X.astype(str), Y, {}, ["X must hold numbers", "<U"]),
    "four dimensions": (X[None], Y, {}, ["a list of arrays or frames", "shape (1, 40, 6, 2)", "three axes"]),
    "one dimension": (X[:, 0, 0], Y, {}, ["got one ndarray of shape (40,)", "Reshape your data"]),
    "no list": ([], [], {}, ["at least one sequence", "list of shape (0,)"]),
    "texts for sequences": (["ab", "cd"] * 20, Y, {}, ["a list of arrays", "dtype <U2"]),
    "texts in a table": (TABLE.astype(str), Y, {}, ["X must hold numbers", "<U", "(40, 12)"]),
    "stamps": (pd.DataFrame({"at": pd.date_range("2024", periods=40)}), Y, {}, ["column 'at'", "datetime64"]),
    "no columns": (pd.DataFrame(index=range(40)), Y, {}, ["at least one column", "(40, 0)"]),
    "NaN in a table": (with_(TABLE, (3, 9), np.nan), Y, {"n_steps": 6}, ["sequence 3 at step 4, feature 1"]),
    "masked": (np.ma.masked_equal(X, X[3, 4, 1]), Y, {}, ["sequence 3 at step 4, feature 1"]),
    "masked table": (np.ma.masked_equal(TABLE, TABLE[3, 9]), Y, {"n_steps": 6}, ["sequence 3 at step 4, feature 1"]),
    "masked in a list": (
        ragged_with(2, np.ma.masked_less(np.eye(2), 0.5)),
        SUMS,
        {},
        ["sequence 2 at step 0, feature 1"],
    ),
    "texts among objects": (with_(X.astype(object), (3, 4, 1), "1"), Y, {}, ["X must hold numbers", "object"]),
    "None in a list": (ragged_with(5, None), SUMS, {}, ["X[5] must hold numbers", "(steps, features)"]),
    "None first": ([None, *RAGGED[1:]], SUMS, {}, ["X[0] must hold numbers"]),
    "no steps in a list": ([[]] * 40, Y, {}, ["X[0] is empty", "leave it out"]),
    "a text column in a list": (
        [pd.DataFrame(x).assign(place="x") for x in RAGGED],
        SUMS,
        {},
        ["X[0] must hold numbers", "column 'place' is of dtype", "Leave it out"],
    ),
    "columns in another order": (
        [pd.DataFrame(x, columns=["a", "b"] if i != 3 else ["b", "a"]) for i, x in enumerate(RAGGED)],
        SUMS,
        {},
        ["same columns in the same order; X[0] has 'a', 'b', X[3] has 'b', 'a'"],
    ),
    "missing in a list of frames": (
        [pd.DataFrame(x).astype("Float64").mask(pd.DataFrame(x) == RAGGED[2][0, 1]) for x in RAGGED],
        SUMS,
        {},
        ["sequence 2 at step 0, feature 1"],
    ),
    "NaN": (with_(X, (3, 4, 1), np.nan), Y, {}, ["NaN", "nan in sequence 3 at step 4, feature 1", "fill"]),
    "infinity": (ragged_with(2, np.array([[1, 2], [np.inf, 0]])), SUMS, {}, ["inf in sequence 2 at step 1, feature 0"]),
    "float32": (with_(X, (3, 4, 1), 1e39), Y, {"scaler": None}, ["float32", "1e+39 in feature 1", "scaler="]),
    "empty sequence": (ragged_with(5, np.zeros((0, 2))), SUMS, {}, ["X[5] is empty", "(0, 2)", "leave it out"]),
    "other features": (ragged_with(5, np.zeros((3, 4))), SUMS, {}, ["same features", "X[0] has 2, X[5] has 4"]),
    "a cube in a list": (ragged_with(5, np.zeros((3, 2, 1))), SUMS, {}, ["X[5]", "(steps, features)", "(3, 2, 1)"]),
    "texts in a list": (ragged_with(5, np.array(["a", "b"])), SUMS, {}, ["X[5] must hold numbers", "<U1"]),
    "odd steps": (
        [[[1, 2], [3]], [[1, 2]]] * 20,
        Y,
        {},
        ["X[0] must have the same number of features at each step; step 0 has 2, step 1 has 1."],
    ),
    "columns": (TABLE, Y, {"n_steps": 5}, ["12 columns", "no multiple of n_steps=5", "Set `n_steps`"]),
    "y missing": (X, None, {}, ["requires y", "None"]),
    "y of another length": (X, Y[:39], {}, ["40 sequences", "39"]),
    "y of another shape": (X, np.zeros((40, 6, 2)), {}, ["(sequences,)", "(40, 6, 2)", "return_sequences=True"]),
    "y without steps": (X, Y, {"return_sequences": True}, ["(sequences, steps)", "(40,)"]),
    "y of other steps": (X, X[:, :5, 0], {"return_sequences": True}, ["y[0]", "each of the 6 steps of X[0]", "(5,)"]),
    "y of other steps in a list": (
        RAGGED,
        [x[:, 0] if i != 7 else np.zeros(9) for i, x in enumerate(RAGGED)],
        {"return_sequences": True},
        ["y[7]", "of X[7]", "(9,)"],
    ),
    "y of other targets": (
        RAGGED,
        [x if i != 7 else x[:, 0] for i, x in enumerate(RAGGED)],
        {"return_sequences": True},
        ["same targets", "y[7]"],
    ),
    "weights of another length": (X, Y, {"sample_weight": np.ones(39)}, ["each of the 40", "(39,)"]),
    "negative weights": (X, Y, {"sample_weight": np.arange(-1, 39)}, ["not negative", "-1", "position 0"]),
    "no weight": (X, Y, {"sample_weight": np.zeros(40)}, ["zero everywhere", "Leave it out"]),
    "no validation part": (X, Y, {"validation_fraction": 0.001}, ["of 40 sequences leaves none", "X_val"]),
    "short hidden sizes": (X, Y, {"hidden_size": [3, 4], "n_layers": 3}, ["hidden_size", "n_layers=3"]),
    "steps at the end": (
        X,
        Y,
        {"layers": [GRU(3, return_sequences=True)]},
        ["must give one step for sequences of 6 steps; they give 6 steps", "`return_sequences=False` in the last"],
    ),
    "no steps at the end": (
        X,
        X[..., 0],
        {"layers": [GRU(3)], "return_sequences": True},
        ["must give 6 steps", "they give one step", "in each of them"],
    ),
    "stateful": (X, Y, {"layers": [GRU(3, stateful=True)]}, ["GRU(3, stateful=True)", "shuffled", "Sequential"]),
    "states": (X, Y, {"layers": [GRU(3, return_state=True)]}, ["GRU(3, return_state=True)", "no states", "Sequential"]),
    "backwards": (
        X,
        X[..., 0],
        {"layers": [SimpleRNN(3, return_sequences=True, go_backwards=True)], "return_sequences": True},
        ["from the last to the first", "Leave `go_backwards` out"],
    ),
    "ragged and flat": (
        RAGGED,
        SUMS,
        {"layers": [GRU(3, return_sequences=True), Flatten()]},
        ["Layer 1, Flatten()", "differ in length, up to 7 steps", "one length"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_fit_refuses_and_stays_as_it_was(kind, case):
    inputs, y, parameters, parts = BAD[case]
    if isinstance(y, list):
        y = [targets_for(kind, part) for part in y]
    elif y is not None:
        y = targets_for(kind, y)
    arguments = {name: value for name, value in parameters.items() if name == "sample_weight"}
    settings = {name: value for name, value in parameters.items() if name not in arguments}
    fresh = kind(**TINY | settings)
    refused(fresh, inputs, y, arguments, parts)
    assert not any(name.endswith("_") for name in vars(fresh))
    frame = pd.DataFrame(TABLE).rename(columns=str)
    model = kind(**TINY, n_steps=6).fit(frame, targets_for(kind, Y))
    before, found = dict(vars(model)), given(model, frame)
    model.set_params(**{"n_steps": None} | settings)
    refused(model, inputs, y, arguments, parts)
    changed = {name for name, value in vars(model).items() if value is not before.get(name)}
    assert changed <= {"n_steps", *settings} and set(vars(model)) == set(before)
    assert_array_equal(given(model.set_params(n_steps=6), frame), found)


def refused(model, inputs, y, arguments, parts):
    with pytest.raises(ValueError) as caught:
        model.fit(inputs, y, **arguments)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def test_no_weight_in_one_of_the_parts():
    """One of four sequences is held out: either that one counts, or those of training do."""
    refused = []
    for weights in np.eye(4):
        with pytest.raises(ValueError, match=r"is zero for every (training|validation) sequence") as caught:
            RNNRegressor(**TINY, validation_fraction=0.25).fit(X[:4], Y[:4], sample_weight=weights)
        refused.append("training" if "every training" in str(caught.value) else "validation")
    assert sorted(refused) == ["training", "validation", "validation", "validation"]


# ---- classes ---------------------------------------------------------------------------------------------------
def test_one_class():
    for y in (np.full(40, "a"), np.zeros(40), np.stack([Y > 0, np.ones(40)], axis=1)):
        with pytest.raises(ValueError, match="at least two classes.*training sequences have one class: (1.0|'a'|0.0)"):
            RNNClassifier(**TINY).fit(X, y)


def test_a_class_that_only_validation_has():
    y = np.where(Y > 0, "up", "down")
    expected = (
        r"In `X_val` and `y_val`: Every class must be known.*'new' \(first in row 3 of y\) is not among 'down', 'u"
    )
    with pytest.raises(ValueError, match=expected + ".*Give `fit` sequences of it"):
        RNNClassifier(**TINY).fit(X, y, X_val=X[:5], y_val=["up", "down", "up", "new", "up"])
    steps = np.where(X[..., 0] > 0, "up", "down")
    for row in range(40):  # in one of them it is held out
        steps[row] = "new"
        try:
            RNNClassifier(**TINY | {"max_epochs": 1}, return_sequences=True, validation_fraction=0.2).fit(X, steps)
        except ValueError as error:
            assert "'new' (first in row" in str(error)
            return
        steps[row] = "up"
    pytest.fail("a class that only the validation part has was not refused")


def test_classes_that_are_numbers_or_nothing():
    with pytest.raises(ValueError, match="Unknown label type"):
        RNNClassifier(**TINY).fit(X, Y)
    for y in (with_(np.sign(Y), 2, np.nan), with_(np.where(Y > 0, "up", "down").astype(object), 2, None)):
        with pytest.raises(ValueError, match="Input y contains NaN or None, first in row 2: leave out"):
            RNNClassifier(**TINY).fit(X, y)
    with pytest.raises(ValueError, match="Input y contains infinity, first in row 2"):
        RNNClassifier(**TINY).fit(X, with_(np.sign(Y), 2, np.inf))
    with pytest.raises(ValueError, match="classes of one kind, texts or numbers; got int, str, e.g. 1, 'a'"):
        RNNClassifier(**TINY).fit(X, np.array([1, "a"] * 20, dtype=object))
    with pytest.raises(ValueError, match="y must hold numbers; got 'down' in row 1, of dtype object. For classes"):
        RNNRegressor(**TINY).fit(X, with_(Y.astype(object), 1, "down"))
    with pytest.raises(ValueError, match="Input y contains NaN"):
        RNNRegressor(**TINY).fit(X, with_(Y, 2, np.nan))


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([0, 1], r"`classes` must be a list of 2 lists, the classes of each target of y; got \[0, 1\]"),
        ([[0, 1]] * 3, "`classes` must be a list of 2 lists"),
        (1, "`classes` must be a list of 2 lists.*got 1"),
        (["01", "01"], "`classes` must be a list of 2 lists"),
        ([[0, 1], [0]], r"`classes\[1\]` must be a list of at least two classes, such as \[0, 1\]; got \[0\]"),
        (
            [[0, 1], [0, "1"]],
            r"`classes\[1\]` must hold classes of one kind, texts or numbers; got int, str, e.g. 0, '1'",
        ),
        ([[0, np.nan], [0, 1]], r"`classes\[0\]` contains NaN or None, first in row 1"),
    ],
)
def test_classes_of_several_targets(classes, message):
    y = np.stack([Y > 0, Y > 1], axis=1).astype(int)
    with pytest.raises(ValueError, match=message):
        RNNClassifier(**TINY).partial_fit(X, y, classes=classes)


@pytest.mark.parametrize("classes", [1, "ab", [], [0], [[0, 1]], [[0, 1], [1]]])
def test_classes_of_one_target(classes):
    with pytest.raises(ValueError, match="`classes` must be a list of at least two classes, such as"):
        RNNClassifier(**TINY).partial_fit(X, (Y > 0).astype(int), classes=classes)


def test_class_weights():
    y = (Y > 0).astype(int)
    with pytest.raises(ValueError, match="must be one dict, or 'balanced'; got"):
        RNNClassifier(**TINY, class_weight=[{0: 1, 1: 2}]).fit(X, y)
    with pytest.raises(ValueError, match="a list of 2 dicts, one for each target of y, or 'balanced'; got {0: 1"):
        RNNClassifier(**TINY, class_weight={0: 1, 1: 2}).fit(X, np.stack([y, y], axis=1))
    with pytest.raises(ValueError, match=r"are not in class_weight"):
        RNNClassifier(**TINY, class_weight={0: 1, 7: 2}).fit(X, y)
    with pytest.raises(ValueError, match="times `class_weight`, is zero for every training sequence"):
        RNNClassifier(**TINY, class_weight={0: 0, 1: 0}).fit(X, y)
    with pytest.raises(ValueError, match="`class_weight='balanced'` needs the frequencies of all sequences.*dict"):
        RNNClassifier(**TINY, class_weight="balanced").partial_fit(X, y)
    with pytest.raises(ValueError, match="did you mean|Did you mean 'balanced'"):
        RNNClassifier(**TINY, class_weight="balance").fit(X, y)


# ---- later calls -----------------------------------------------------------------------------------------------
def test_before_fit(kind):
    for call in ("predict", "summary"):
        with pytest.raises(NotFittedError, match=f"This {kind.__name__} is not fitted yet"):
            getattr(kind(), call)(*[X][: call == "predict"])
    with pytest.raises(NotFittedError):
        kind().save("nowhere")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (X[:, :, :1], "X has 1 features at each step, but {} is expecting 2 features as input: those of `fit`"),
        ([X[0], X[1, :, :1]], r"same features; X\[0\] has 2, X\[1\] has 1"),
        (TABLE, "X has 1 features at each step, but {} is expecting 2"),
        (with_(X, (1, 2, 0), np.inf), "inf in sequence 1 at step 2, feature 0"),
        (1e200 * X, "float32"),
        (X[0, :, 0], "got one ndarray of shape .6,. .*Reshape your data"),
    ],
)
def test_predict(kind, inputs, message):
    model = kind(**TINY, scaler=None).fit(X, targets_for(kind, Y))
    with pytest.raises(ValueError, match=message.format(kind.__name__)):
        model.predict(inputs)


NO_DATA = {"None": None, "text": "abc", "number": 3.0, "dict": {"a": 1}, "generator": (x for x in X)}


@pytest.mark.parametrize("inputs", NO_DATA.values(), ids=NO_DATA)
def test_what_is_no_data(kind, inputs):
    with pytest.raises(
        TypeError, match="X must be an array .*got one (NoneType|str|float|dict|generator). Make an array"
    ):
        kind(**TINY).fit(inputs, targets_for(kind, Y))


def test_frames_with_other_columns_than_in_fit(kind):
    frames = [pd.DataFrame(x, columns=["a", "b"]) for x in RAGGED]
    model = kind(**TINY).fit(frames, targets_for(kind, SUMS))
    with pytest.raises(
        ValueError, match="must have the columns of those in `fit`, 'a', 'b', in that order; got 'b', 'a'"
    ):
        model.predict([frame[["b", "a"]] for frame in frames])
    with pytest.raises(ValueError, match="1 features at each step, but .* a single one goes into a list of its own"):
        model.predict(frames[5])


def test_layers_with_weights_for_each_step(kind):
    y = targets_for(kind, Y)
    layers = [GRU(3, return_sequences=True), Flatten(), Dense(4)]
    model = kind(**TINY, layers=layers).fit(X, y)
    with pytest.raises(ValueError, match=r"have weights for sequences of 6 steps, but the longest here has 4\. Cut or"):
        model.predict(X[:, :4])
    with pytest.raises(ValueError, match=r"Layer 1, Flatten\(\), reads all steps alike.*differ in length, up to 6"):
        model.predict([X[0], X[1, :3]])
    with pytest.raises(ValueError, match="for sequences of 6 steps, but the longest here has 5"):
        model.partial_fit(X[:, :5], y)
    with pytest.raises(ValueError, match="for sequences of 6 steps, but the longest here has 5"):
        kind(**TINY, layers=layers).fit(X, y, X_val=X[:, :5], y_val=y)


def test_going_on_with_other_targets(kind):
    y = targets_for(kind, Y)
    model = kind(**TINY).fit(X, y)
    theta = model.state_.theta
    for _ in (model.partial_fit, model.set_params(warm_start=True).fit):
        with pytest.raises(ValueError, match="y must have one target, as in `fit`; got 2"):
            model.partial_fit(X, np.stack([y, y], axis=1))
    with pytest.raises(ValueError, match="expecting 2 features"):
        model.partial_fit(X[:, :, :1], y)
    with pytest.raises(ValueError, match="needs the `return_sequences` of before, False; got True"):
        model.set_params(return_sequences=True).partial_fit(X, targets_for(kind, X[..., 0]))
    model.set_params(return_sequences=False)
    scalers = {"scaler": "minmax"} | ({"target_scaler": None} if kind is RNNRegressor else {})
    for name, other in scalers.items():
        with pytest.raises(ValueError, match=f"needs the `{name}` of before, standard; got {other}. Make a new"):
            model.set_params(**{name: other}).fit(X, y)
        model.set_params(**{name: "standard"})
    assert model.state_.theta is theta


def test_half_of_a_validation_set(kind):
    for part in ({"X_val": X}, {"y_val": Y}):
        with pytest.raises(TypeError, match="`X_val` and `y_val` belong together"):
            kind(**TINY).fit(X, targets_for(kind, Y), **part)
    with pytest.raises(ValueError, match="In `X_val` and `y_val`: X has 1 features"):
        kind(**TINY).fit(X, targets_for(kind, Y), X_val=X[:, :, :1], y_val=targets_for(kind, Y))


def test_scores_need_targets_of_the_same_kind(kind):
    model = kind(**TINY).fit(X, targets_for(kind, Y))
    with pytest.raises(ValueError, match="y must have one target, as in `fit`; got 2"):
        model.score(X, np.stack([targets_for(kind, Y)] * 2, axis=1))
    with pytest.raises(ValueError, match="40 sequences"):
        model.score(X, targets_for(kind, Y)[:30])


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"hidden_size": 0}, ValueError, "`hidden_size` of"),
        ({"scaler": "minmx"}, ValueError, "Did you mean 'minmax'"),
        ({"n_steps": 2.5}, TypeError, "`n_steps` of"),
        ({"return_sequences": "yes"}, TypeError, "True or False"),
        ({"validation_fraction": 1.0}, ValueError, r"\[0, 1\)"),
        ({"cell": "lstmm"}, ValueError, "Did you mean 'lstm'"),
        ({"layers": [3]}, TypeError, "such as GRU"),
    ],
)
def test_parameters(kind, parameters, error, message):
    with pytest.raises(error, match=message):
        kind(**TINY | parameters).fit(X, targets_for(kind, Y))


def test_load_refuses_what_is_no_file(kind, tmp_path):
    with pytest.raises(ModelFileError, match="There is no model file"):
        kind.load(tmp_path / "absent")


def test_targets_of_different_lengths_for_whole_sequences():
    ragged = [np.zeros(3), np.zeros(2)]
    with pytest.raises(ValueError, match="arrays of different shapes. For a target at each step set `return_sequences"):
        RNNRegressor(**TINY).fit([np.zeros((3, 2)), np.zeros((2, 2))], ragged)
    with pytest.raises(ValueError, match=r"y\[1\] must have the same number of targets at each step; step 0 has 2, st"):
        RNNRegressor(**TINY, return_sequences=True).fit(
            RAGGED, [x if i != 1 else [[1, 2], [3]] for i, x in enumerate(RAGGED)]
        )
