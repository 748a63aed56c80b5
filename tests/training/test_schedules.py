"""Learning-rate schedules against the oracles, and reduction on a plateau by hand."""

import pytest
from reference import schedules as oracle

from tsrnn.training import Constant, Cosine, ReduceOnPlateau, Step
from tsrnn.training.schedules import SCHEDULES

EPOCHS = range(12)


def factors(schedule):
    return [schedule.factor(epoch, len(EPOCHS), []) for epoch in EPOCHS]


def test_constant():
    assert factors(Constant()) == [oracle.constant(1.0, t) for t in EPOCHS]


def test_step():
    assert factors(Step(every=5, gamma=0.3)) == pytest.approx([oracle.step(1.0, t, 5, 0.3) for t in EPOCHS], rel=1e-15)


def test_cosine():
    expected = [oracle.cosine(1.0, t, len(EPOCHS), 0.1) for t in EPOCHS]
    assert factors(Cosine(floor=0.1)) == pytest.approx(expected, rel=1e-14)
    assert factors(Cosine())[0] == 1
    assert Cosine().factor(0, 0, []) == 1  # no epochs, no division by zero


def test_reduce_on_plateau():
    """Better at epochs 0, 1 and 4; two epochs without a gain halve the rate, and the count starts again."""
    losses = [5.0, 4.0, 4.0, 4.5, 3.0, 3.1, 3.2, 3.0, 9.0, 9.0]
    expected = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]
    schedule = ReduceOnPlateau(gamma=0.5, patience=2, floor=0.0)
    assert [schedule.factor(t, 99, losses[:t]) for t in range(len(losses) + 1)] == expected


def test_reduce_on_plateau_stops_at_the_floor():
    assert ReduceOnPlateau(gamma=0.1, patience=1, floor=0.05).factor(9, 99, [1.0] * 9) == 0.05


def test_names():
    expected = {"constant": Constant(), "cosine": Cosine(), "reduce_on_plateau": ReduceOnPlateau(), "step": Step()}
    assert expected == SCHEDULES


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Step(every=0), "`every` of Step must be"),
        (lambda: Step(gamma=1.0), "`gamma` of Step must be"),
        (lambda: Cosine(floor=1.5), "`floor` of Cosine must be"),
        (lambda: ReduceOnPlateau(patience=0), "`patience` of ReduceOnPlateau must be"),
        (lambda: ReduceOnPlateau(gamma=0), "`gamma` of ReduceOnPlateau must be"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError) as caught:
        make()
    assert message in str(caught.value)
