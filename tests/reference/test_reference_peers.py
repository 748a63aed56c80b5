"""The oracles of recurrent and bidirectional layers against what Keras 3 gives."""

import numpy as np
import pytest

from reference import bidirectional, recurrent
from reference.differences import numerical_gradient, worst_error
from reference.peers_fixture import load_cases

BIDIRECTIONAL = load_cases("keras-bidirectional")
TOLERANCE = 1e-7  # of the largest element; the expected values are rounded to float32, by up to 6e-8


def test_the_fixture_holds_every_merge():
    assert len({case["name"] for case in BIDIRECTIONAL}) == len(BIDIRECTIONAL) == 68
    for kind in ("rnn", "lstm", "gru", "gru_before"):
        of_kind = [case for case in BIDIRECTIONAL if case["kind"] == kind]
        for merge_mode in ("concat", "sum", "mul", "ave"):
            masks = [case["mask"] is not None for case in of_kind if case["merge_mode"] == merge_mode]
            assert set(masks) == {False, True}
        assert {case["initial_state"] is None for case in of_kind} == {False, True}


@pytest.mark.parametrize("case", BIDIRECTIONAL, ids=lambda case: case["name"])
def test_bidirectional(case):
    given = case["kind"], case["x"], case["weights"], case["merge_mode"]
    options = {"mask": case["mask"], "initial_state": case["initial_state"], **case["options"]}
    assert worst_error(bidirectional.forward(*given, **options), case["y"]) < TOLERANCE
    d_x, d_weights, _ = bidirectional.backward(*given, case["d_y"], **options)
    for found, expected in zip([d_x, *d_weights], [case["d_x"], *case["d_weights"]], strict=True):
        assert worst_error(found, expected) < TOLERANCE


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave"])
def test_gradients_of_initial_states(merge_mode):
    case = next(case for case in BIDIRECTIONAL if case["initial_state"] and case["kind"] == "lstm")
    states = [state.astype(np.float64) for state in case["initial_state"]]
    given = "lstm", case["x"], case["weights"], merge_mode
    options = {"initial_state": states, **case["options"]}
    y = bidirectional.forward(*given, **options)
    d_y = np.cos(np.arange(y.size)).reshape(y.shape)
    _, _, found = bidirectional.backward(*given, d_y, **options)
    for gradient, state in zip(found, states, strict=True):
        expected = numerical_gradient(lambda: np.sum(bidirectional.forward(*given, **options) * d_y), state)
        assert worst_error(gradient, expected) < 1e-8


@pytest.mark.parametrize("case", load_cases("keras-stateful"), ids=lambda case: case["name"])
def test_stateful(case):
    states = case["initial_state"]
    for batch in case["batches"]:
        options = {"mask": batch["mask"], "initial_state": states, **case["options"]}
        y, states = recurrent.forward(case["kind"], batch["x"], case["weights"], **options)
        assert worst_error(y, batch["y"]) < TOLERANCE


@pytest.mark.parametrize("case", load_cases("keras-masks"), ids=lambda case: case["name"])
def test_masks(case):
    options = {"mask": case["mask"], **case["options"]}
    y, _ = recurrent.forward(case["kind"], case["x"], case["weights"], **options)
    assert worst_error(y, case["y"]) < TOLERANCE
    gradients = recurrent.backward(case["kind"], case["x"], case["weights"], case["d_y"], **options)
    for found, expected in zip([gradients.x, *gradients.weights], [case["d_x"], *case["d_weights"]], strict=True):
        assert worst_error(found, expected) < TOLERANCE
