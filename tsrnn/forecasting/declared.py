"""Every constructor parameter of the forecasters, declared once."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsrnn._errors import AnyOf, Boolean, Instance, Integer, ListOf, NoneOr, Options, Real
from tsrnn._parameters import Parameters, param
from tsrnn.data.names import Name
from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.nn.cells import CELLS
from tsrnn.nn.heads.point import LOSSES, Huber
from tsrnn.nn.layer import LayerSpec
from tsrnn.training.optimizers import OPTIMIZERS, Optimizer
from tsrnn.training.schedules import SCHEDULES, Schedule

_NAME = Instance((str, int, tuple), "the name of a column")
_AUTO = Options("auto")
_RATE = Real(0, 1, closed="left")


class Columns(Parameters):
    """What the columns are."""

    target: Name | list[Name] | None = param(
        None, NoneOr(AnyOf(_NAME, ListOf(_NAME))), "Column or columns to forecast. None: every numeric column."
    )
    past_covariates: list[Name] | None = param(
        None,
        NoneOr(AnyOf(_NAME, ListOf(_NAME, min_length=0))),
        "Columns that are read besides the targets, up to the present. None: every other numeric column.",
    )
    id_col: Name | None = param(None, NoneOr(_NAME), "Column of a long frame that names the series.")
    time_col: Name | None = param(None, NoneOr(_NAME), "Column that holds the stamps, where the index does not.")
    freq: Any = param(
        None, NoneOr(Instance(object, "a pandas frequency or an integer step")), "Distance of rows. None: inferred."
    )


class Rows(Parameters):
    """What to do about rows as they come."""

    missing: str = param(
        "raise",
        Options("raise", "ffill"),
        'Missing values and absent stamps: refuse them, or carry the last value of the series forward ("ffill").',
    )
    duplicates: str = param(
        "raise", Options("raise", "first", "last", "mean"), "Stamps that come twice: refuse them, or keep one row."
    )
    na_values: Any = param(
        None,
        NoneOr(Instance((int, float, list, tuple, np.ndarray), "a number or a list of numbers")),
        "Codes such as -9999 that mean a missing value. None: look for usual ones and refuse them; []: there are none.",
    )
    min_length: int | None = param(None, NoneOr(Integer(1)), "Series of fewer rows are left out.")


class WindowParameters(Parameters):
    """What a window is."""

    lookback: int | str = param(
        "auto",
        AnyOf(Integer(1), _AUTO),
        'Points of history that a forecast reads. "auto": two seasons, or twice the horizon if that is more.',
    )
    horizon: int | str = param(
        "auto", AnyOf(Integer(1), _AUTO), 'Rows to forecast. "auto": one season, from the frequency.'
    )
    gap: int = param(0, Integer(0), "Rows between the last point of history and the first row of the forecast.")
    sampling_rate: int = param(1, Integer(1), "Distance of the points of history that are read, in rows.")
    stride: int = param(1, Integer(1), "Distance of successive training windows, in rows.")
    validation_fraction: float = param(0.2, _RATE, "Last part of the time that is held out for validation; 0 for none.")
    validation_by: str = param(
        "time",
        Options("time", "series"),
        'Where validation begins: at one moment for all series ("time"), or in the last part of each ("series").',
    )


class ScalingParameters(Parameters):
    """How the channels are scaled."""

    scaler: str | None = param(
        "standard",
        NoneOr(Options("standard", "minmax", "robust")),
        "Scaling of every channel, learned from training rows only.",
    )
    scaler_scope: str = param("series", Options("series", "global"), "A scale for each series, or one for all of them.")


class TrainingParameters(Parameters):
    """How a network is trained."""

    instance_norm: str | None = param(
        None,
        NoneOr(Options("last", "mean", "standard")),
        'What is taken off the targets in each window and put back on its forecast: the "last" value, the "mean", or '
        'mean and spread ("standard").',
    )
    loss: str | Huber = param(
        "mae",
        AnyOf(Options(*LOSSES), Instance(Huber, "a loss such as Huber(delta=1.0)")),
        "What training minimises, in scaled units.",
    )
    optimizer: str | Optimizer = param(
        "adam",
        AnyOf(Options(*OPTIMIZERS), Instance(Optimizer, "an optimizer such as SGD(momentum=0.9)")),
        "How gradients become steps.",
    )
    learning_rate: float = param(2e-3, Real(0, None, closed="neither"), "Size of the steps.")
    lr_schedule: str | Schedule = param(
        "constant",
        AnyOf(Options(*SCHEDULES), Instance(Schedule, "a schedule such as Cosine()")),
        "How the learning rate changes from epoch to epoch.",
    )
    max_epochs: int = param(30, Integer(1), "Passes over the training windows, at most.")
    max_steps: int | None = param(None, NoneOr(Integer(1)), "Training steps, at most.")
    batch_size: int = param(128, Integer(1), "Windows in a step.")
    clip_norm: float | None = param(
        1.0, NoneOr(Real(0, None, closed="neither")), "Longer gradients are cut to this norm. None: they are not."
    )
    weight_decay: float = param(0.0, Real(0), "L2 penalty; with AdamW the decay of the weights themselves.")
    early_stopping: bool = param(
        True, Boolean(), "Stop when the validation loss (without validation rows the training loss) no longer falls."
    )
    patience: int = param(5, Integer(1), "Epochs without improvement before early stopping.")
    restore_best_weights: bool = param(True, Boolean(), "Keep the weights of the best epoch rather than the last.")
    warm_start: bool = param(False, Boolean(), "Let `fit` go on from the weights of the last `fit`.")
    random_state: Any = param(
        None,
        NoneOr(AnyOf(Integer(0, 2**32 - 1), Instance(np.random.RandomState, "a RandomState"))),
        "Seed of first weights, order of windows and dropout. The same seed gives the same bits.",
    )
    n_jobs: int | None = param(
        None,
        NoneOr(AnyOf(Integer(1), Integer(None, -1))),
        "Threads. None and -1: all cores. The result does not depend on it, to the bit.",
    )
    callbacks: Any = param(
        None,
        NoneOr(Instance((list, tuple), "a list of callables")),
        "Called with an `EpochEnd` after each epoch; one that returns True ends training.",
    )
    verbose: int | bool = param(False, AnyOf(Boolean(), Integer(0)), "Show a progress bar.")


class RecurrentParameters(Parameters):
    """What a recurrent network is made of."""

    cell: str = param("gru", Options(*CELLS), "The recurrent cell.")
    hidden_size: int | list[int] = param(
        32, AnyOf(Integer(1), ListOf(Integer(1))), "Units of each recurrent layer; a list gives one width per layer."
    )
    n_layers: int = param(1, Integer(1), "Recurrent layers, one on top of the other.")
    activation: str = param("tanh", Options(*ACTIVATIONS), "Of the state.")
    recurrent_activation: str = param("sigmoid", Options(*ACTIVATIONS), "Of the gates.")
    reset_after: bool = param(True, Boolean(), "GRU: whether the reset gate acts after the recurrent product.")
    dropout: float = param(0.0, _RATE, "Share of each layer's inputs dropped in training, the same at every step.")
    recurrent_dropout: float = param(0.0, _RATE, "Share of the state dropped in training, the same at every step.")
    layers: Any = param(
        None,
        NoneOr(ListOf(Instance(LayerSpec, "a layer such as GRU(32)"))),
        "The layers written out, in place of the parameters above; the output layer is added.",
    )


class DenseParameters(Parameters):
    """What a fully connected network is made of."""

    hidden_size: int | list[int] = param(
        64, AnyOf(Integer(1), ListOf(Integer(1))), "Units of each hidden layer; a list gives one width per layer."
    )
    activation: str = param("relu", Options(*ACTIVATIONS), "Of the hidden layers.")
    dropout: float = param(0.0, _RATE, "Share of each hidden layer's outputs dropped in training.")
