"""From a plan to weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tsrnn._checkpoints import VALUES, fingerprint
from tsrnn.estimators.layers import check_layers, check_weights
from tsrnn.estimators.plan import Part
from tsrnn.estimators.state import SequenceState
from tsrnn.nn.network import Network
from tsrnn.training.checkpoint import Checkpoint
from tsrnn.training.events import Callback
from tsrnn.training.threads import Team
from tsrnn.training.tiles import TileEngine
from tsrnn.training.trainer import Start, Trainer, TrainResult, TrainSettings, Windows


def learn(
    train: Part,
    validation: Part,
    settings: TrainSettings,
    before: SequenceState | None,
    team: Team,
    callbacks: Sequence[Callback],
    checkpoint: Checkpoint | None = None,
) -> TrainResult:
    """Train on one part and validate on the other, from first weights or from where an earlier fit ended."""
    plan, other = train.plan, validation.plan
    network = plan.network()
    check_layers(network, plan.examples.targets.per_step, plan.examples.sequences.ragged)
    start = _start(network, settings, before)
    weights = plan.weights_of(train.chosen, "training")
    engine = validating = TileEngine(network, plan.task(network), team, settings.seed)
    if other is not plan:
        longer = other.network()  # or shorter
        check_weights(longer, network.layout.size, network.input.steps)
        check_layers(longer, other.examples.targets.per_step, other.examples.sequences.ragged)
        validating = TileEngine(longer, other.task(longer), team)
    held_out = other.weights_of(validation.chosen, "validation") if validation.chosen.size else weights
    windows = Windows(train.chosen, validation.chosen, held_out, weights)
    theta, moments, updates = start
    return Trainer(engine, windows, settings, validating).run(theta, callbacks, moments, updates, checkpoint)


def _start(network: Network, settings: TrainSettings, before: SequenceState | None) -> Start:
    if before is None:
        return network.initial(settings.seed), None, 0
    check_weights(network, before.theta.size, before.steps)
    return before.theta, *before.left.carried_over(settings.optimizer)


def facts(train: Part, validation: Part, before: SequenceState | None) -> dict[str, Any]:
    """What a checkpoint has to know of the data, and of the weights that training goes on from."""
    plan, other = train.plan, validation.plan
    parts = [repr([labels.tolist() for labels in plan.goal.classes]), train.chosen, validation.chosen]
    for some in (plan,) if other is plan else (plan, other):
        sequences = some.examples.sequences
        parts += [sequences.rows, sequences.lengths, some.examples.targets.lengths, some.codes, some.weights]
    start = () if before is None else (before.theta, before.left.moments, before.left.steps)
    return {
        "sequences": train.chosen.size,
        "validation sequences": validation.chosen.size,
        "features": plan.examples.sequences.features,
        VALUES: fingerprint(*parts, *start),
    }
