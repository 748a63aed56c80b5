"""Constructor parameters: one table makes signature, validation, documentation, copies and repr."""

import inspect
import pickle

import numpy as np
import pandas as pd
import pytest
from cell_kinds import OTHER_PAIR, options_of
from sklearn.base import clone

import tsrnn
from tsrnn import DenseForecaster, GRUForecaster, LinearForecaster, LSTMForecaster, NaiveForecaster, RNNForecaster
from tsrnn._errors import AnyOf, Boolean, Instance, Integer, ListOf, NoneOr, Options, Real
from tsrnn._parameters import Parameters, fixed, param
from tsrnn._saving import ESTIMATORS
from tsrnn.forecasting.base import Forecaster
from tsrnn.nn import GRU, Conv1D, Dense, Embedding, MaxPool1D, SimpleRNN, recurrent
from tsrnn.nn.heads.point import Huber
from tsrnn.training import SGD, Cosine

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

KINDS = [kind for name, kind in ESTIMATORS.items() if name in tsrnn.__all__ and issubclass(kind, Forecaster)]
DECLARED = [(kind, name) for kind in KINDS for name in kind.PARAMETERS]


def of_wrong_type(constraint):
    """Values whose type no alternative of a constraint takes."""
    candidates = [object(), "no such option", 1.5, {"a": 1}, [object()], b"x"]
    return [value for value in candidates if not constraint.accepts_type(value)]


def out_of_range(constraint):
    """Values of a fitting type that a constraint does not take."""
    if isinstance(constraint, NoneOr):
        return out_of_range(constraint.constraint)
    if isinstance(constraint, AnyOf):
        values = [value for part in constraint.constraints for value in out_of_range(part)]
        return [value for value in values if not constraint.accepts(value)]
    if isinstance(constraint, Integer):
        return [end + by for end, by in ((constraint.low, -1), (constraint.high, 1)) if end is not None]
    if isinstance(constraint, Real):
        values = [float("nan"), float("inf"), -float("inf")]
        values += [end + by for end, by in ((constraint.low, -1e-9), (constraint.high, 1e-9)) if end is not None]
        return [*values, *(end for end in (constraint.low, constraint.high) if end is not None)]
    if isinstance(constraint, Options):
        return ["no such option"]
    if isinstance(constraint, ListOf):
        return [[value] for value in out_of_range(constraint.constraint)] + ([[]] if constraint.min_length else [])
    assert isinstance(constraint, Boolean | Instance)
    return []


@pytest.mark.parametrize(("kind", "name"), DECLARED, ids=[f"{kind.__name__}-{name}" for kind, name in DECLARED])
def test_every_declared_parameter_is_checked_in_fit(kind, name):
    declared = kind.PARAMETERS[name]
    assert declared.constraint.accepts(declared.default)
    assert declared.doc.endswith(".")
    wrong, outside = of_wrong_type(declared.constraint), out_of_range(declared.constraint)
    outside = [value for value in outside if not declared.constraint.accepts(value)]
    assert wrong
    for values, error in ((wrong, TypeError), (outside, ValueError)):
        for value in values:
            forecaster = kind(**{name: value})  # the constructor only stores
            assert getattr(forecaster, name) is value
            with pytest.raises(error, match=f"`{name}` of {kind.__name__} must be ") as caught:
                forecaster.fit(pd.DataFrame({"a": np.arange(40.0)}))
            assert type(caught.value) is error
            assert set(vars(forecaster)) == set(kind.PARAMETERS)


def test_misspelt_option_is_recognised(wide):
    with pytest.raises(ValueError, match="Did you mean 'lstm'"):
        RNNForecaster(cell="ltsm").fit(wide)


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_parameters(kind):
    with pytest.raises(TypeError, match=rf"{kind.__name__} has no parameter 'lokback'\. Did you mean 'lookback'"):
        kind(lokback=3)
    with pytest.raises(TypeError, match=rf"has no parameter 'zzzzz'\. `help\({kind.__name__}\)` lists"):
        kind(zzzzz=3)
    with pytest.raises(ValueError, match="Invalid parameter 'lokback'"):
        kind().set_params(lokback=3)
    with pytest.raises(TypeError, match="positional"):
        kind(3)


def test_parameters_that_a_class_fixes():
    assert "cell" not in GRUForecaster.PARAMETERS
    assert (GRUForecaster.cell, LSTMForecaster.cell, tsrnn.SimpleRNNForecaster.cell) == ("gru", "lstm", "rnn")
    assert GRUForecaster().cell == "gru"
    assert "cell" in RNNForecaster.PARAMETERS
    with pytest.raises(TypeError, match="no parameter 'cell'"):
        GRUForecaster(cell="lstm")
    assert "reset_after" in GRUForecaster.PARAMETERS
    assert "recurrent_activation" in LSTMForecaster.PARAMETERS
    with pytest.raises(TypeError, match="no parameter 'reset_after'"):
        LSTMForecaster(reset_after=False)
    for name in ("reset_after", "recurrent_activation"):  # a cell without gates
        with pytest.raises(TypeError, match=f"no parameter '{name}'"):
            tsrnn.SimpleRNNForecaster(**{name: RNNForecaster.PARAMETERS[name].default})


@pytest.mark.parametrize("kind", KINDS)
def test_signature_and_documentation_come_from_the_table(kind):
    parameters = list(inspect.signature(kind).parameters.values())
    assert [p.name for p in parameters] == list(kind.PARAMETERS)
    assert {p.kind for p in parameters} == {inspect.Parameter.KEYWORD_ONLY}
    assert [p.default for p in parameters] == [p.default for p in kind.PARAMETERS.values()]
    for name, declared in kind.PARAMETERS.items():
        assert f"\n{name} : {declared.constraint}, default={declared.default!r}\n" in kind.__doc__
    assert "{parameters}" not in kind.__doc__
    assert "{attributes}" not in kind.__doc__


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, RNNForecaster)])
def test_documented_attributes_exist_after_fit(kind, wide):
    section = kind.__doc__.partition("\nAttributes\n----------\n")[2].partition("\nExamples\n")[0]
    names = [name for line in section.splitlines() if " : " in line for name in line.partition(" : ")[0].split(", ")]
    assert {"history_", "baseline_skill_", "lookback_", "horizon_", "cutoff_", "data_report_"} <= set(names)
    forecaster = kind(lookback=5, horizon=2, hidden_size=3, max_epochs=1, random_state=0).fit(wide)
    assert [name for name in names if not hasattr(forecaster, name)] == []


OBJECTS = {
    "loss": Huber(0.5),
    "optimizer": SGD(momentum=0.5, nesterov=True),
    "lr_schedule": Cosine(floor=0.1),
    "layers": [GRU(4, return_sequences=True), GRU(3), Dense(5, activation="relu")],
    "hidden_size": (8, 4),
    "past_covariates": ["a", "b"],
    "random_state": 7,
    "na_values": [-9999],
}


def some_of(kind):
    return {name: value for name, value in OBJECTS.items() if name in kind.PARAMETERS}


@pytest.mark.parametrize("kind", KINDS)
def test_copies(kind):
    given = some_of(kind)
    forecaster = kind(**given)
    for copy in (clone(forecaster), pickle.loads(pickle.dumps(forecaster)), kind().set_params(**given)):
        assert type(copy) is kind
        assert copy.get_params() == forecaster.get_params()
        assert copy.get_params() == {n: p.default for n, p in kind.PARAMETERS.items()} | given
    assert forecaster.get_params()["na_values"] is given["na_values"]


@pytest.mark.parametrize("kind", KINDS)
def test_repr_shows_what_differs_from_the_defaults(kind):
    assert repr(kind()) == f"{kind.__name__}()"
    assert repr(kind(horizon=3, gap=1)) == f"{kind.__name__}(gap=1, horizon=3)"


def test_fitted_forecasters_are_cloned_unfitted(wide):
    forecaster = LinearForecaster(horizon=2).fit(wide)
    assert set(vars(clone(forecaster))) == set(LinearForecaster.PARAMETERS)


def test_numpy_numbers_are_numbers(wide):
    python = {"lookback": 5, "horizon": 2, "hidden_size": 3, "learning_rate": 0.01, "max_epochs": 1, "random_state": 0}
    numpy = {name: np.float64(value) if name == "learning_rate" else np.int64(value) for name, value in python.items()}
    expected = GRUForecaster(early_stopping=False, **python).fit(wide).predict()
    assert GRUForecaster(early_stopping=np.False_, **numpy).fit(wide).predict().equals(expected)


def test_random_state_object(wide):
    settings = {"lookback": 5, "horizon": 2, "hidden_size": 3, "max_epochs": 1}
    first, second = (GRUForecaster(random_state=np.random.RandomState(3), **settings).fit(wide) for _ in range(2))
    assert first.predict().equals(second.predict())
    assert not first.predict().equals(first.fit(wide).predict())  # it moves on, as scikit-learn's do


def test_grid_search(wide):
    from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

    search = GridSearchCV(
        LinearForecaster(lookback=7, horizon=2), {"alpha": [1.0, 1e6]}, cv=TimeSeriesSplit(2, test_size=30)
    )
    search.fit(wide[["wave"]])
    assert search.best_params_ == {"alpha": 1.0}
    assert search.best_estimator_.predict().shape == (2, 1)


def test_declaring_parameters():
    class Base(Parameters):
        """Something.

        {parameters}
        """

        size: int = param(default=3, constraint=Integer(1), doc="How large.")
        shape: str = param(default="round", constraint=Options("round", "flat"), doc="Which form.")

    class Flat(Base):
        shape = fixed("flat")
        size: int = param(default=5, constraint=Integer(1), doc="How large it is.")
        colour: str = param(default="red", constraint=Options("red", "blue"), doc="Which colour.")

    assert Base.__doc__.splitlines()[2:6] == [
        "Parameters",
        "----------",
        "size : an integer of at least 1, default=3",
        "    How large.",
    ]
    flat = Flat(colour="blue")
    assert flat.get_params() == {"size": 5, "colour": "blue"}
    assert (flat.shape, Base().shape, Base().size) == ("flat", "round", 3)
    Flat(colour="green").set_params(colour="red").check_parameters()
    with pytest.raises(ValueError, match="`colour` of Flat must be 'red' or 'blue'; got 'green'"):
        Flat(colour="green").check_parameters()
    with pytest.raises(TypeError, match="must not define `__init__`"):
        type("Own", (Base,), {"__init__": lambda self: None})


def test_the_base_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Forecaster()
    with pytest.raises(TypeError, match="abstract"):
        ESTIMATORS["NetworkForecaster"]()


OTHER = options_of("gru", OTHER_PAIR)


@pytest.mark.parametrize(
    ("given", "layers"),
    [
        ({"hidden_size": 3, "n_layers": 2}, [GRU(3, return_sequences=True), GRU(3)]),
        ({"hidden_size": [4, 3]}, [GRU(4, return_sequences=True), GRU(3)]),
        ({"hidden_size": (4,), "dropout": [0.2]}, [GRU(4, dropout=0.2)]),
        (
            {"hidden_size": 3, "dropout": (0.1, 0.2)} | OTHER,
            [GRU(3, dropout=0.1, return_sequences=True, **OTHER), GRU(3, dropout=0.2, **OTHER)],
        ),
        (
            {
                "cell": "rnn",
                "hidden_size": [4, 3],
                "n_layers": 2,
                "activation": ["tanh", "softsign"],
                "dropout": 0.3,
                "recurrent_dropout": [0.0, 0.5],
            },
            [
                SimpleRNN(4, dropout=0.3, return_sequences=True),
                SimpleRNN(3, activation="softsign", dropout=0.3, recurrent_dropout=0.5),
            ],
        ),
    ],
    ids=str,
)
def test_one_value_or_one_per_layer(wide, given, layers):
    """The same as the list of layers written out, to the bit."""
    window = {"lookback": 5, "horizon": 2, "max_epochs": 1, "random_state": 0}
    forecaster = RNNForecaster(**given, **window).fit(wide)
    assert list(forecaster.state_.model.specs[:-1]) == layers
    written_out = RNNForecaster(layers=layers, **window).fit(wide)
    pd.testing.assert_frame_equal(forecaster.predict(), written_out.predict(), check_exact=True)
    assert pickle.loads(pickle.dumps(forecaster)).get_params() == forecaster.get_params()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"hidden_size": [4, 5], "n_layers": 3},
            r"`hidden_size` must be one value, or one for each layer, of which `n_layers=3` makes 3; got \[4, 5\]\.",
        ),
        (
            {"hidden_size": [4, 5], "recurrent_dropout": [0.1]},
            r"`recurrent_dropout` must be .* `hidden_size=\[4, 5\]` makes 2; got \[0\.1\]\.",
        ),
        (
            {"activation": ("relu", "tanh"), "dropout": [0.1] * 3},
            r"`dropout` must be .* `activation=\('relu', 'tanh'\)` makes 2; got \[0\.1, 0\.1, 0\.1\]",
        ),
        ({"dropout": [0.1, 1.0]}, "`dropout` of RNNForecaster must be .*, or a list of one or more items"),
        ({"activation": ["relu", "tan"]}, "`activation` of RNNForecaster must be"),
    ],
)
def test_lists_that_do_not_agree_on_the_layers(wide, given, message):
    with pytest.raises(ValueError, match=message):
        RNNForecaster(**given).fit(wide)


def test_layers_that_do_not_end_with_a_vector(wide):
    with pytest.raises(ValueError, match="one vector for each window.*return_sequences=False"):
        RNNForecaster(layers=[GRU(4, return_sequences=True)]).fit(wide)


def test_layers_that_do_not_fit_together(wide):
    with pytest.raises(ValueError, match=r"Layer 1, MaxPool1D\(9\), needs at least 9 steps: .*; got 6 steps of 4 feat"):
        RNNForecaster(lookback=8, layers=[Conv1D(4, 3), MaxPool1D(9), GRU(3)]).fit(wide)


def test_tokens_are_not_forecast(wide):
    with pytest.raises(ValueError, match=r"begins with Embedding\(5, 2\), which reads tokens, but a forecaster's"):
        RNNForecaster(layers=[Embedding(5, 2), GRU(3)], target="walk", past_covariates=[]).fit(wide[["walk"]])


def test_naive_and_dense_have_parameters_of_their_own():
    assert {"method", "season_length"} <= set(NaiveForecaster.PARAMETERS)
    assert not {"scaler", "scaler_scope", "max_epochs"} & set(NaiveForecaster.PARAMETERS)
    assert "recurrent_dropout" not in DenseForecaster.PARAMETERS
    assert "alpha" in LinearForecaster.PARAMETERS


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32])
def test_numpy_integers_are_taken_as_numbers(kind):
    """Small ones would overflow, and every kind would compile the kernels a second time."""
    index = pd.date_range("2024-01-01", periods=600, freq="h")
    frame = pd.DataFrame({"load": np.sin(np.arange(600) / 4), "other": np.cos(np.arange(600) / 9)}, index=index)
    given = {"lookback": 100, "horizon": 20, "gap": 100, "stride": 100, "hidden_size": 100, "batch_size": 100}
    settings = {"max_epochs": 1, "random_state": 0, "validation_fraction": 0.0}
    plain = GRUForecaster(**given, **settings).fit(frame)
    compiled = len(recurrent.forward.signatures)
    forecaster = GRUForecaster(**{name: kind(value) for name, value in given.items()}, **settings).fit(frame)
    assert len(recurrent.forward.signatures) == compiled
    pd.testing.assert_frame_equal(forecaster.predict(), plain.predict())
