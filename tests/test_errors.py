"""Constraints on parameters, and what the messages say."""

import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from tsrnn._errors import (
    AnyOf,
    Boolean,
    DivergedError,
    Instance,
    Integer,
    ListOf,
    NoneOr,
    Options,
    Real,
    check_import,
    check_parameter,
    did_you_mean,
    quoted,
)

WIDTH = NoneOr(AnyOf(Options("auto"), Integer(1), ListOf(Integer(1))))


@pytest.mark.parametrize(
    ("constraint", "value"),
    [
        (Integer(1), 1),
        (Integer(1, 3), np.int32(3)),
        (Integer(), -5),
        (Real(0, 1), 0),
        (Real(0, 1), np.float32(1.0)),
        (Real(0, 1, closed="left"), 0),
        (Real(0, 1, closed="right"), 1),
        (Real(), 10**400),
        (Real(), Fraction(1, 3)),
        (Options("rnn", "lstm"), np.array(["lstm"])[0]),
        (Options(None, 1), None),
        (Instance(np.ndarray, "an array"), np.zeros(1)),
        (Boolean(), True),
        (Boolean(), np.False_),
        (WIDTH, None),
        (WIDTH, "auto"),
        (WIDTH, (4, np.int64(2))),
        (ListOf(Boolean(), min_length=0), []),
    ],
)
def test_fitting_values_are_accepted(constraint, value):
    assert constraint.accepts(value)
    assert constraint.accepts_type(value)
    check_parameter("Owner", "name", value, constraint)


@pytest.mark.parametrize(
    ("constraint", "value", "error"),
    [
        (Integer(1), 0, ValueError),
        (Integer(1, 3), 4, ValueError),
        (Integer(1), True, TypeError),
        (Integer(1), np.True_, TypeError),
        (Integer(1), 1.0, TypeError),
        (Real(0, 1), 1.5, ValueError),
        (Real(0, 1, closed="left"), 1, ValueError),
        (Real(0, 1, closed="right"), 0, ValueError),
        (Real(0, closed="neither"), 0, ValueError),
        (Real(), float("nan"), ValueError),
        (Real(), -np.inf, ValueError),
        (Real(), "0.5", TypeError),
        (Real(), False, TypeError),
        (Real(), np.zeros(3), TypeError),
        (Options("rnn", "lstm"), "gru", ValueError),
        (Options("rnn", "lstm"), None, TypeError),
        (Options(1, 2), True, ValueError),
        (Instance(np.ndarray, "an array"), [0.0], TypeError),
        (Boolean(), 1, TypeError),
        (WIDTH, 0, ValueError),
        (WIDTH, [], ValueError),
        (WIDTH, [4, 0], ValueError),
        (WIDTH, [4, "2"], TypeError),
        (WIDTH, {4}, TypeError),
    ],
)
def test_other_values_are_refused(constraint, value, error):
    with pytest.raises(error, match="`name` of Owner must be "):
        check_parameter("Owner", "name", value, constraint)


def message_of(value, constraint):
    with pytest.raises((TypeError, ValueError)) as caught:
        check_parameter("GRUForecaster", "hidden_size", value, constraint)
    return str(caught.value)


def test_messages_say_what_was_expected_and_got():
    assert message_of(0, Integer(1)) == "`hidden_size` of GRUForecaster must be an integer of at least 1; got 0."
    assert message_of(np.int64(9), Integer(1, 5)).endswith("must be an integer from 1 to 5; got 9.")
    assert message_of(9, Integer(high=5)).endswith("must be an integer of at most 5; got 9.")
    assert message_of(2.0, Real(0, 1, closed="left")).endswith("must be a number in [0, 1); got 2.0.")
    assert message_of(2.0, Real(0, 1, closed="right")).endswith("must be a number in (0, 1]; got 2.0.")
    assert message_of(0, Real(0, closed="neither")).endswith("must be a finite number greater than 0; got 0.")
    assert message_of(2, Real(high=1)).endswith("must be a finite number of at most 1; got 2.")
    assert message_of("3", Integer()).endswith("must be an integer; got '3' (of type str).")
    assert message_of(0, WIDTH).endswith(
        "must be 'auto', or an integer of at least 1, or a list of one or more items, each an integer of at least 1, "
        "or None; got 0."
    )


def test_messages_hint_at_the_option_that_was_meant():
    cell = Options("rnn", "lstm", "gru")
    assert message_of("ltsm", cell).endswith("must be 'rnn', 'lstm' or 'gru'; got 'ltsm'. Did you mean 'lstm'?")
    assert message_of("LSTM", NoneOr(cell)).endswith("Did you mean 'lstm'?")
    assert message_of("transformer", cell).endswith("got 'transformer'.")


def test_options_of_a_registry_are_those_that_it_holds_now():
    registry = {"rnn": 1, "lstm": 2}
    cell = Options.of(registry)
    assert cell.accepts("lstm") and not cell.accepts("gru")
    registry["gru"] = 3
    assert cell.accepts("gru") and cell.choices() == ("rnn", "lstm", "gru")
    assert message_of("ltsm", cell).endswith("must be 'rnn', 'lstm' or 'gru'; got 'ltsm'. Did you mean 'lstm'?")
    assert not cell.accepts_type(3)


def test_messages_stay_short():
    frame = pd.DataFrame(np.zeros((1000, 30)))
    assert message_of(frame, Boolean()).endswith("must be True or False; got a DataFrame (of type DataFrame).")
    assert len(message_of(list(range(10_000)), Boolean())) < 200


def test_quoted():
    assert quoted([]) == ""
    assert quoted(["a", 1, ("b", 2)]) == "'a', 1, ('b', 2)"
    assert quoted(np.arange(7)) == "0, 1, 2, 3, 4 and 2 more"
    assert quoted(iter("abc"), limit=2) == "'a', 'b' and 1 more"


def test_did_you_mean():
    assert did_you_mean("Temp", ["temp", "dewp", 3]) == " Did you mean 'temp'?"
    assert did_you_mean("xyz", ["temp"]) == ""
    assert did_you_mean(3, ["temp", 3]) == ""


def test_diverged_error_survives_a_process_border():
    error = DivergedError("The loss is nan.", history=[{"epoch": 1}], best_state={"theta": [0.0]})
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.history, copy.best_state) == ("The loss is nan.", [{"epoch": 1}], {"theta": [0.0]})


def test_check_import_returns_the_module():
    assert check_import("json.decoder", "polars", "A test").__name__ == "json.decoder"


def test_check_import_says_how_to_install():
    with pytest.raises(ImportError, match=r'^A test needs `no_such_package`.*pip install "tsrnn\[polars\]"$') as caught:
        check_import("no_such_package.part", "polars", "A test")
    assert caught.value.name == "no_such_package"


def test_check_import_does_not_hide_a_broken_package(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import something_absent\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_absent"):
        check_import("broken_package", "polars", "A test")
