"""What the trainer does with losses: on an engine that follows a script, and once against a loop of oracles."""

import math
from dataclasses import replace

import numpy as np
import pytest
from reference import layers as oracle_layers
from reference import losses, optimizers
from reference import recurrent as oracle

from tsrnn import DivergedError
from tsrnn.kernels.gather import Series
from tsrnn.nn import MSE, Dense, Flatten, SimpleRNN
from tsrnn.nn.layer import Shape
from tsrnn.nn.network import Network
from tsrnn.training import SGD, Adam, AdamW, Cosine, ReduceOnPlateau, RMSprop, threads
from tsrnn.training.checkpoint import Checkpoint
from tsrnn.training.tasks import WindowTask
from tsrnn.training.threads import Team
from tsrnn.training.tiles import TileEngine
from tsrnn.training.trainer import Trainer, TrainSettings, Windows

PLAIN = SGD(momentum=0.0)


class ScriptedEngine:
    """Gives losses as told; the gradient is ``slope`` in both parameters, so theta says how many steps were made."""

    def __init__(self, validation=(), training=None, slope=1.0, penalty=0.0):
        self.validation, self.training = list(validation), training
        self.gradient, self.slope = np.zeros(2), slope
        self.batches, self.steps, self.team = [], [], Team(1)
        self.network = Network([Dense(1, kernel_l1=penalty)], Shape(1, 1), np.float64)

    def loss_and_gradient(self, theta, origins, weights, step):
        self.batches.append(origins.copy())
        self.steps.append(step)
        self.gradient[:] = self.slope
        return self.training[len(self.steps) - 1] if self.training else 1.0

    def evaluate(self, theta, origins, units):
        loss = self.validation.pop(0)
        return loss, np.array([2 * loss, 4 * loss])


def windows(n_train=6, n_validation=3):
    return Windows(np.arange(n_train), np.arange(n_validation), np.ones((n_validation, 2)), np.zeros(0))


def run(engine, *callbacks, n_train=6, n_validation=3, start=0.0, **settings):
    """Three steps an epoch, each of which takes 1 off both parameters."""
    settings = {"batch_size": 2, "optimizer": PLAIN, "learning_rate": 1.0, "max_epochs": 10} | settings
    trainer = Trainer(engine, windows(n_train, n_validation), TrainSettings(**settings))
    return trainer.run(np.full(2, start), callbacks)


def test_early_stopping_restores_the_best_weights():
    result = run(ScriptedEngine([5, 3, 4, 3, 3.5, 1]), patience=3)
    assert (result.stopped, result.best_epoch, len(result.history)) == ("early_stopping", 2, 5)
    np.testing.assert_array_equal(result.theta, [-6, -6])


def test_last_weights_where_the_best_are_not_wanted():
    result = run(ScriptedEngine([5, 3, 4, 4, 4]), patience=2, restore_best_weights=False)
    assert (result.stopped, result.best_epoch) == ("early_stopping", 4)
    np.testing.assert_array_equal(result.theta, [-12, -12])


def test_no_early_stopping():
    result = run(ScriptedEngine([3, 4, 5, 6]), early_stopping=False, patience=1, max_epochs=4)
    assert (result.stopped, result.best_epoch, len(result.history)) == ("max_epochs", 1, 4)
    np.testing.assert_array_equal(result.theta, [-3, -3])


def test_without_validation_the_training_loss_counts():
    training = [3, 3, 3, 1, 1, 1, 2, 2, 2, 2, 2, 2]
    result = run(ScriptedEngine(training=training), n_validation=0, patience=2)
    assert (result.stopped, result.best_epoch, len(result.history)) == ("early_stopping", 2, 4)
    assert all(math.isnan(record.val_loss) and math.isnan(record.val_mae) for record in result.history)


def test_another_engine_may_validate():
    trainer = Trainer(ScriptedEngine(), windows(), TrainSettings(max_epochs=2), ScriptedEngine([7, 6]))
    assert [record.val_loss for record in trainer.run(np.zeros(2)).history] == [7, 6]


def test_records():
    """The loss of an epoch is the mean over its windows: batches of 2, 2 and 1."""
    seen = []
    engine = ScriptedEngine([5, 4], training=[1, 2, 6, 4, 4, 4])
    result = run(engine, seen.append, n_train=5, max_epochs=2, schedule=Cosine(), learning_rate=0.1)
    assert tuple(seen) == result.history
    first, second = seen
    assert (first.epoch, first.max_epochs, first.loss, first.val_loss, first.val_mae) == (1, 2, 12 / 5, 5, 15)
    assert (second.epoch, second.loss, second.val_loss, second.val_mae) == (2, 4, 4, 12)
    assert [r.learning_rate for r in seen] == pytest.approx([0.1, 0.05])
    assert all(r.seconds >= 0 for r in seen)


def test_the_start_is_left_alone():
    theta = np.zeros(2)
    Trainer(ScriptedEngine([1]), windows(), TrainSettings(max_epochs=1)).run(theta)
    assert not theta.any()


def test_every_epoch_shuffles_all_windows():
    engines = [ScriptedEngine([3, 2, 1]) for _ in range(3)]
    for engine, seed in zip(engines, (0, 0, 1), strict=True):
        run(engine, n_train=25, batch_size=10, max_epochs=3, seed=seed)
    orders = [np.split(np.concatenate(engine.batches), 3) for engine in engines]
    assert [len(batch) for batch in engines[0].batches] == [10, 10, 5] * 3
    assert all(sorted(order) == list(range(25)) for order in orders[0])
    assert (orders[0][0] != orders[0][1]).any()
    np.testing.assert_array_equal(orders[0], orders[1])
    assert (orders[0][0] != orders[2][0]).any()
    assert engines[0].steps == list(range(9))  # which number the dropout masks


def test_max_steps_ends_in_the_middle_of_an_epoch():
    result = run(ScriptedEngine([5, 4, 3]), max_steps=5)
    assert (result.stopped, len(result.history)) == ("max_steps", 2)
    np.testing.assert_array_equal(result.theta, [-5, -5])


def test_a_callback_stops():
    seen = []
    result = run(ScriptedEngine([5, 4, 6, 3]), lambda record: record.epoch == 3, seen.append)
    assert (result.stopped, len(result.history), result.best_epoch) == ("callback", 3, 2)
    assert len(seen) == 3  # the others hear of the last epoch too


def test_the_schedule_sees_the_monitored_losses():
    result = run(ScriptedEngine([5, 6, 7, 8]), schedule=ReduceOnPlateau(patience=2), max_epochs=4)
    assert [record.learning_rate for record in result.history] == [1, 1, 1, 0.5]
    np.testing.assert_array_equal(result.theta, [-3, -3])


def test_ctrl_c_in_a_callback():
    def interrupt(record):
        if record.epoch == 3:
            raise KeyboardInterrupt

    result = run(ScriptedEngine([5, 4, 6, 3]), interrupt)
    assert (result.stopped, len(result.history), result.best_epoch) == ("interrupt", 3, 2)
    np.testing.assert_array_equal(result.theta, [-6, -6])


@pytest.mark.parametrize(("step", "best_epoch", "expected"), [(1, 0, -1), (4, 1, -3)])
def test_ctrl_c_in_the_middle_of_an_epoch(step, best_epoch, expected):
    """The best weights so far; in the first epoch there are none, and those of the moment are given."""
    engine = ScriptedEngine([5, 4])
    inner = engine.loss_and_gradient

    def interrupted(theta, origins, weights, number):
        if number == step:
            raise KeyboardInterrupt
        return inner(theta, origins, weights, number)

    engine.loss_and_gradient = interrupted
    result = run(engine)
    assert (result.stopped, result.best_epoch, len(result.history)) == ("interrupt", best_epoch, best_epoch)
    np.testing.assert_array_equal(result.theta, [expected, expected])


class InMemory(Checkpoint):
    """Keeps all states that it is given to write."""

    def __init__(self, every=1, state=None):
        super().__init__(every)
        self.state, self.written = state, []

    def read(self, fresh):
        return self.state

    def write(self, state):
        self.written.append(state)


@pytest.mark.parametrize("settings", [{"patience": 3}, {"max_steps": 14}, {"max_epochs": 4}, {"patience": 2}])
def test_training_goes_on_from_the_state_after_any_epoch(settings):
    losses, checkpoint = [5, 3, 4, 3, 3.5, 1], InMemory()
    settings = {
        "optimizer": SGD(),
        "batch_size": 2,
        "max_epochs": 6,
        "schedule": ReduceOnPlateau(patience=1),
    } | settings

    def trained(engine, checkpoint):
        trainer = Trainer(engine, windows(), TrainSettings(**settings))
        result = trainer.run(np.zeros(2), moments=np.ones((1, 2)), steps=7, checkpoint=checkpoint)
        plain = [replace(record, seconds=0) for record in result.history]
        return result.theta.tolist(), result.moments.tolist(), plain, result.best_epoch, result.stopped, result.steps

    whole = trained(ScriptedEngine(losses), checkpoint)
    epochs = len(whole[2])
    assert [len(state.history) for state in checkpoint.written] == list(range(epochs + 1))
    for done, state in enumerate(checkpoint.written):
        engine = ScriptedEngine(losses[done:])
        assert trained(engine, InMemory(state=state)) == whole
        assert engine.steps == list(range(7, whole[-1]))[3 * done :]


def test_a_state_that_is_not_yet_written_is_when_training_breaks_off():
    checkpoint = InMemory(every=3)

    def interrupt(record):
        if record.epoch == 6:
            raise KeyboardInterrupt

    trainer = Trainer(ScriptedEngine([5] * 6), windows(), TrainSettings(max_epochs=9, patience=9))
    assert trainer.run(np.zeros(2), [interrupt], checkpoint=checkpoint).stopped == "interrupt"
    assert [len(state.history) for state in checkpoint.written] == [0, 3, 5]
    assert all(state.stopped is None for state in checkpoint.written)


def test_diverged_training_loss():
    engine = ScriptedEngine([5, 6], training=[1, 1, 1, 1, 1, 1, 1, math.inf])
    with pytest.raises(DivergedError) as caught:
        run(engine, learning_rate=0.5)
    assert str(caught.value) == (
        "Training diverged: training loss inf in epoch 3, after 7 steps, at learning rate 0.5. Try a smaller "
        "`learning_rate`, `clip_norm=1.0`, or another `scaler`; `best_state` of this error has the best weights so far."
    )
    assert [record.val_loss for record in caught.value.history] == [5, 6]
    np.testing.assert_array_equal(caught.value.best_state, [-1.5, -1.5])


def test_diverged_in_the_first_epoch_has_no_best_weights():
    with pytest.raises(
        DivergedError, match="training loss nan in epoch 1, after 0 steps.*No step was made yet: try other activations"
    ) as caught:
        run(ScriptedEngine(training=[math.nan]), clip_norm=2.0)
    assert caught.value.best_state is None
    assert "best_state" not in str(caught.value)
    assert list(caught.value.history) == []


def test_diverged_validation_loss():
    with pytest.raises(DivergedError, match="validation loss nan in epoch 2") as caught:
        run(ScriptedEngine([5, math.nan]))
    np.testing.assert_array_equal(caught.value.best_state, [-3, -3])
    assert len(caught.value.history) == 2


def test_ctrl_c_never_leaves_weights_that_are_not_finite():
    """It may come after a step that diverged and before the loss that would show it."""

    class Interrupted(ScriptedEngine):
        def evaluate(self, *arguments):
            raise KeyboardInterrupt

    result = run(Interrupted([1], slope=math.inf), max_steps=1, start=2.0)
    assert result.stopped == "interrupt"
    np.testing.assert_array_equal(result.theta, [2, 2])


def test_a_last_step_that_diverges_is_noticed():
    """The loss of a step is taken before it, so only the weights can show it."""
    with pytest.raises(DivergedError, match="weights that are not finite in epoch 1, after 1 steps"):
        run(ScriptedEngine([1], slope=math.inf), max_steps=1, n_validation=0)


@pytest.mark.parametrize(("slope", "expected"), [(3.0, 0.5 / math.sqrt(2)), (-3.0, -0.5 / math.sqrt(2)), (0.1, 0.1)])
def test_clip_norm(slope, expected):
    """The norm of both together becomes 0.5, where it is more."""
    result = run(ScriptedEngine([1], slope=slope), clip_norm=0.5, max_steps=1)
    np.testing.assert_allclose(result.theta, [-expected] * 2, rtol=1e-12)


@pytest.mark.parametrize(("slope", "expected"), [(3.0, 0.5), (-3.0, -0.5), (0.1, 0.1)])
def test_clip_value(slope, expected):
    result = run(ScriptedEngine([1], slope=slope), clip_value=0.5, max_steps=1)
    np.testing.assert_array_equal(result.theta, [-expected] * 2)


def test_values_are_clipped_before_the_norm():
    class Uneven(ScriptedEngine):
        def loss_and_gradient(self, *arguments):
            loss = super().loss_and_gradient(*arguments)
            self.gradient[:] = 10, 0.6
            return loss

    result = run(Uneven([1]), clip_value=0.8, clip_norm=0.5, max_steps=1)
    np.testing.assert_allclose(result.theta, [-0.4, -0.3], rtol=1e-12)


def test_penalties_are_part_of_both_losses_and_of_what_is_clipped():
    """Of the first parameter, the kernel: 4 at first, and 3.5 after a step of -0.5, to which 1 + 0.25 is clipped."""
    engine = ScriptedEngine([5], training=[2], penalty=0.25)
    result = run(engine, start=4.0, clip_value=0.5, max_steps=1)
    np.testing.assert_array_equal(result.theta, [3.5, 3.5])
    (record,) = result.history
    assert (record.loss, record.val_loss, record.val_mae) == (2 + 0.25 * 4, 5 + 0.25 * 3.5, 15)
    unclipped = run(ScriptedEngine([5], penalty=0.25), start=4.0, max_steps=1)
    np.testing.assert_array_equal(unclipped.theta, [4 - 1.25, 3])


def test_a_penalty_that_is_not_finite_is_a_loss_that_diverged():
    with pytest.raises(DivergedError, match="training loss inf in epoch 1"):
        run(ScriptedEngine([1], penalty=1e300), start=1e300)


def test_weight_decay_is_part_of_the_gradient():
    result = run(ScriptedEngine([1]), weight_decay=0.25, start=2.0, max_steps=1, learning_rate=0.1)
    np.testing.assert_allclose(result.theta, 2 - 0.1 * (1 + 0.25 * 2), rtol=1e-12)


def test_weight_decay_comes_after_clipping():
    result = run(ScriptedEngine([1]), weight_decay=0.25, start=2.0, max_steps=1, clip_norm=math.sqrt(2) / 2)
    np.testing.assert_allclose(result.theta, 2 - (0.5 + 0.25 * 2), rtol=1e-12)


@pytest.mark.parametrize("optimizer", [Adam(), AdamW()])
def test_weight_decay_of_adam_and_adamw(optimizer):
    """Adam's first step has the length of the rate, whatever the gradient; AdamW's shrinks the parameters as well."""
    settings = {"weight_decay": 0.25, "start": 2.0, "max_steps": 1, "learning_rate": 0.1, "optimizer": optimizer}
    found = run(ScriptedEngine([1]), **settings).theta
    shrunk = 0.1 * 0.25 * 2 if isinstance(optimizer, AdamW) else 0.0
    np.testing.assert_allclose(found, 2 - 0.1 - shrunk, rtol=1e-7)


PENALTIES = {"kernel_l1": 0.02, "kernel_l2": 0.03, "recurrent_l2": 0.01}


def plain_loop(values, theta, shapes, train, validation, epochs, penalised):
    """Losses of each epoch and the final weights: SimpleRNN, Dense, penalties, clipping and Adam, all by oracles."""
    rates = [{"l1": 0.02, "l2": 0.03}, {"l2": 0.01}] if penalised else []

    def passes(origins, back):
        sizes = np.cumsum([math.prod(shape) for shape in shapes])
        weights = [part.reshape(shape) for part, shape in zip(np.split(theta, sizes[:-1]), shapes, strict=True)]
        x, y = values[origins[:, None] - np.arange(3, -1, -1)], values[origins + 1, :1]
        h, _ = oracle.forward("rnn", x, weights[:3])
        out = oracle_layers.dense_forward(h, *weights[3:])
        pairs = list(zip(weights, rates, strict=False))
        loss = losses.mse(y, out) + sum(losses.penalty(array, **rate) for array, rate in pairs)
        if not back:
            return loss
        d_h, *d_dense = oracle_layers.dense_backward(h, *weights[3:], losses.d_mse(y, out))
        d_rnn = list(oracle.backward("rnn", x, weights[:3], d_h).weights)
        for i, (array, rate) in enumerate(pairs):
            d_rnn[i] = d_rnn[i] + losses.d_penalty(array, **rate)
        return loss, np.concatenate([part.ravel() for part in (*d_rnn, *d_dense)])

    mean = square = np.zeros_like(theta)
    step, history = 0, []
    for epoch in range(1, epochs + 1):
        order, total = np.random.default_rng([5, epoch]).permutation(len(train)), 0.0
        for first in range(0, len(train), 20):
            batch = train[order[first : first + 20]]
            loss, gradient = passes(batch, back=True)
            (gradient,) = optimizers.clip_by_global_norm([gradient], 0.3)
            step += 1
            theta, mean, square = optimizers.adam(theta, gradient, mean, square, step, learning_rate=0.05)
            total += loss * len(batch)
        history.append((total / len(train), passes(validation, back=False)))
    return np.array(history), theta


@pytest.mark.parametrize("penalised", [False, True])
def test_a_tiny_problem_trains_as_a_plain_loop_does(penalised):
    values = np.random.default_rng(0).standard_normal((90, 2))
    values[1:, 0] = 0.8 * values[:-1, 1]
    train, validation = np.arange(3, 60), np.arange(60, 89)
    network = Network([SimpleRNN(4, **(PENALTIES if penalised else {})), Dense(1)], Shape(4, 2), np.float64)
    theta = network.initial(0)
    settings = TrainSettings(max_epochs=3, batch_size=20, learning_rate=0.05, clip_norm=0.3, seed=5)
    units = np.full((validation.size, 1), 3.0)
    with Team(2) as team:
        engine = TileEngine(network, WindowTask(Series(values.ravel(), 2, 1, 4, 1, 0, 1, 0), MSE()), team)
        result = Trainer(engine, Windows(train, validation, units, np.zeros(0)), settings).run(theta)
    shapes = [parameter.shape for _, parameter, _ in network.layout]
    history, final = plain_loop(values, theta, shapes, train, validation, 3, penalised)
    found = np.array([(record.loss, record.val_loss) for record in result.history])
    np.testing.assert_allclose(found, history, rtol=1e-10)
    assert history[-1, 1] < 0.8 * history[0, 1]  # and it does learn
    assert result.best_epoch == 3
    np.testing.assert_allclose(result.theta, final, rtol=0, atol=1e-10)


@pytest.mark.parametrize("optimizer", [SGD(), SGD(nesterov=True), Adam(), AdamW(), RMSprop()], ids=str)
def test_weights_do_not_depend_on_the_parts_in_which_they_are_changed(optimizer, monkeypatch):
    values = np.sin(np.arange(120.0, dtype=np.float32) / 5)
    series = Series(values, 1, 1, 6, 1, 0, 2, 0)
    windows = Windows(np.arange(5, 100), np.zeros(0, np.int64), np.zeros((0, 1)), np.zeros(0, np.float32))
    settings = TrainSettings(optimizer=optimizer, max_epochs=3, weight_decay=0.1, clip_norm=0.5, batch_size=40)

    def trained(n_threads):
        network = Network([Flatten(), Dense(9, activation="tanh"), Dense(2)], Shape(6, 1))
        with Team(n_threads) as team:
            trainer = Trainer(TileEngine(network, WindowTask(series, MSE()), team), windows, settings)
            return trainer.run(network.initial(0)).theta

    whole = trained(1)
    monkeypatch.setattr(threads, "PART", 7)
    monkeypatch.setattr(threads, "WORTH_SPREADING", 0)
    for n_threads in (1, 3):
        np.testing.assert_array_equal(trained(n_threads), whole)
