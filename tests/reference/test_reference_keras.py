"""The recurrent oracle against what Keras 3 gives."""

import pytest

from reference.differences import worst_error
from reference.keras_fixture import load_cases, load_versions
from reference.recurrent import backward, forward

CASES = load_cases()
TOLERANCE = 1e-7  # of the largest element; the expected values are rounded to float32, by up to 6e-8


def test_the_fixture_holds_every_combination():
    assert load_versions()["keras"].startswith("3.")
    assert len({case["name"] for case in CASES}) == len(CASES) == 104
    for kind in ("rnn", "lstm", "gru", "gru_before"):
        of_kind = [case for case in CASES if case["kind"] == kind]
        flags = {(case["options"]["go_backwards"], case["options"]["return_sequences"]) for case in of_kind}
        assert len(flags) == 4
        for key in ("mask", "initial_state", "input_mask", "state_mask"):
            assert {case[key] is None for case in of_kind} == {False, True}
        assert len({case["options"].get("activation", "tanh") for case in of_kind}) == 6
    assert any(case["mask"] is not None and not case["mask"].any(axis=1).all() for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_oracle_agrees_with_keras(case):
    options = case["options"] | {
        key: case[key] for key in ("mask", "initial_state", "input_mask", "state_mask") if case[key] is not None
    }
    y, final_state = forward(case["kind"], case["x"], case["weights"], **options)
    gradients = backward(case["kind"], case["x"], case["weights"], case["d_y"], **options)
    found = [y, *final_state, gradients.x, *gradients.weights]
    expected = [case["y"], *case["final_state"], case["d_x"], *case["d_weights"]]
    if case["initial_state"] is not None:
        found += gradients.initial_state
        expected += case["d_initial_state"]
    for one, other in zip(found, expected, strict=True):
        assert worst_error(one, other) < TOLERANCE
