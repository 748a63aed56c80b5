"""Every constructor parameter of the forecasters, declared once."""

from __future__ import annotations

import datetime
import numbers
from typing import Any, Literal

import numpy as np
import pandas as pd

from tsrnn._errors import AnyOf, Boolean, Instance, Integer, ListOf, NoneOr, Options, Real
from tsrnn._networks import NetworkTraining
from tsrnn._parameters import Parameters, param
from tsrnn.data.names import NAME, Name
from tsrnn.kernels.activations import ACTIVATIONS
from tsrnn.nn.cells import CELLS
from tsrnn.nn.heads import DISTRIBUTIONS
from tsrnn.nn.heads.point import LOSSES, Huber
from tsrnn.nn.heads.quantile import LEVELS
from tsrnn.nn.layer import LayerSpec

_FREQ = Instance((str, pd.offsets.BaseOffset, datetime.timedelta), "a frequency of pandas such as 'h' or 'MS'")
_CODES = Instance((numbers.Real, list, tuple, np.ndarray), "a number or a list of numbers")
_AUTO = Options("auto")
_RATE = Real(0, 1, closed="left")
_PENALTY = "Penalty in the loss: so much times the sum of the {} in the {} of the hidden layers."
_ACTIVITY = (
    "Penalty in the loss: so much times the sum of the {} of what each recurrent layer gives, over its steps and "
    "units, on average over the sequences of a batch."
)


class Columns(Parameters):
    """What the columns are."""

    target: Name | list[Name] | None = param(
        default=None,
        constraint=NoneOr(AnyOf(NAME, ListOf(NAME))),
        doc="Column or columns to forecast. None: every numeric column.",
    )
    past_covariates: list[Name] | None = param(
        default=None,
        constraint=NoneOr(AnyOf(NAME, ListOf(NAME, min_length=0))),
        doc="Columns that are read besides the targets, up to the present. None: every other numeric column.",
    )
    id_col: Name | None = param(
        default=None, constraint=NoneOr(NAME), doc="Column of a long frame that names the series."
    )
    time_col: Name | None = param(
        default=None, constraint=NoneOr(NAME), doc="Column that holds the stamps, where the index does not."
    )
    freq: Any = param(
        default=None,
        constraint=NoneOr(AnyOf(_FREQ, Integer(1))),
        doc="Distance of rows: a frequency, or an integer for rows numbered by integers. None: inferred.",
    )


class Rows(Parameters):
    """What to do about rows as they come."""

    missing: Literal["raise", "ffill"] = param(
        default="raise",
        constraint=Options("raise", "ffill"),
        doc='Missing values and absent stamps: refuse them, or carry the last value of the series forward ("ffill").',
    )
    duplicates: Literal["raise", "first", "last", "mean"] = param(
        default="raise",
        constraint=Options("raise", "first", "last", "mean"),
        doc="Stamps that come twice: refuse them, or keep one row.",
    )
    na_values: Any = param(
        default=None,
        constraint=NoneOr(_CODES),
        doc="Codes such as -9999 that mean a missing value. None: look for usual ones and refuse them; []: none.",
    )
    min_length: int | None = param(
        default=None, constraint=NoneOr(Integer(1)), doc="Series of fewer rows are left out."
    )


class WindowParameters(Parameters):
    """What a window is."""

    lookback: int | Literal["auto"] = param(
        default="auto",
        constraint=AnyOf(Integer(1), _AUTO),
        doc='Points of history that a forecast reads. "auto": two seasons, or twice the horizon if that is more.',
    )
    horizon: int | Literal["auto"] = param(
        default="auto",
        constraint=AnyOf(Integer(1), _AUTO),
        doc='Rows to forecast. "auto": one season, from the frequency.',
    )
    gap: int = param(
        default=0,
        constraint=Integer(0),
        doc="Rows between the last point of history and the first row of the forecast.",
    )
    sampling_rate: int = param(
        default=1, constraint=Integer(1), doc="Distance of the points of history that are read, in rows."
    )
    stride: int = param(default=1, constraint=Integer(1), doc="Distance of successive training windows, in rows.")
    validation_fraction: float = param(
        default=0.2, constraint=_RATE, doc="Last part of the time that is held out for validation; 0 for none."
    )
    validation_by: Literal["time", "series"] = param(
        default="time",
        constraint=Options("time", "series"),
        doc='Where validation begins: at one moment for all series ("time"), or in the last part of each ("series").',
    )


class ScalingParameters(Parameters):
    """How the channels are scaled."""

    scaler: Literal["standard", "minmax", "robust"] | None = param(
        default="standard",
        constraint=NoneOr(Options("standard", "minmax", "robust")),
        doc="Scaling of every channel, learned from training rows only.",
    )
    scaler_scope: Literal["series", "global"] = param(
        default="series", constraint=Options("series", "global"), doc="A scale for each series, or one for all of them."
    )


class IntervalParameters(Parameters):
    """Where the spread of forecasts comes from."""

    intervals: Literal["auto", "conformal"] = param(
        default="auto",
        constraint=Options("auto", "conformal"),
        doc="Where quantiles, intervals and samples come from: the distribution that the forecaster learned, and where "
        'it learned none its errors on validation rows ("auto"); or in any case those errors, which correct a '
        'distribution that is too narrow or too wide ("conformal").',
    )


class SeriesParameters(Parameters):
    """How series are learned together, and what they can be."""

    scope: Literal["global", "local"] = param(
        default="global",
        constraint=Options("global", "local"),
        doc='One model for all series of a panel ("global"), which forecasts new ones too, or a model for each '
        '("local"), as if it had been fitted on the rows of its series alone: several at once, each on one thread. '
        "Errors on validation rows, from which intervals come, are those of all series together, each in units of the "
        "spread of its own. Callbacks are called for each series, from several threads; there is no `history_`.",
    )
    series_weights: Literal["rows", "equal"] = param(
        default="rows",
        constraint=Options("rows", "equal"),
        doc='In training each row counts alike, and so a long series more than a short one ("rows"), or each series '
        'does, whatever its length ("equal"). Weights of rows count beside that, within each series.',
    )
    non_negative: bool = param(
        default=False,
        constraint=Boolean(),
        doc="The series cannot be negative: point forecasts, quantiles, intervals and samples below zero are zero. "
        "Targets must hold no negative values then.",
    )


class DataParameters(Columns, Rows, WindowParameters, ScalingParameters, IntervalParameters, SeriesParameters):
    """All that decides what a model is fitted on; every forecaster has these."""

    @property
    def _counts(self) -> bool:
        """Whether targets are counts, for forecasters that can be told so."""
        return False


class TrainingParameters(NetworkTraining):
    """How a network is trained to forecast."""

    instance_norm: Literal["last", "mean", "standard"] | None = param(
        default=None,
        constraint=NoneOr(Options("last", "mean", "standard")),
        doc='What is taken off the targets in each window and put back on its forecast: the "last" value, the "mean", '
        'or mean and spread ("standard").',
    )
    loss: str | Huber = param(
        default="mae",
        constraint=AnyOf(Options(*LOSSES, *DISTRIBUTIONS), Instance(Huber, "a loss such as Huber(delta=1.0)")),
        doc='What training minimises, in scaled units: an error of the point forecast ("mse", "mae", "huber"), or how '
        'little a distribution expected what came: "quantile", "gaussian", "laplace", "student_t", and for counts '
        '"poisson" and "negative_binomial". A distribution needs `strategy="direct"`.',
    )
    quantiles: list[float] | None = param(
        default=None,
        constraint=NoneOr(ListOf(Real(0, 1, closed="neither"))),
        doc='With `loss="quantile"`: the levels that are learned, between 0 and 1; the median is one in any case. '
        f"None: {', '.join(f'{level:g}' for level in LEVELS)}.",
    )
    n_members: int = param(
        default=1,
        constraint=Integer(1),
        doc="Networks that are trained, from seeds of their own (first weights, order of windows, dropout), side by "
        "side on the threads; they forecast together. The point forecast is the mean of theirs, quantiles that were "
        "trained are averaged, and other distributions are mixed. Each stops early by itself; callbacks are called for "
        "all of them, one at a time, on the member's thread. `checkpoint` holds one network, not several.",
    )
    mc_samples: int | None = param(
        default=None,
        constraint=NoneOr(Integer(2)),
        doc="Monte Carlo dropout: learn the spread of forecasts from so many networks whose dropout masks are drawn "
        "anew, each held over all steps. It says how unsure the network is, not how noisy the series: intervals from "
        'it alone are too narrow, unless the loss is a distribution, and `intervals="conformal"` stretches them to '
        "what came in the validation rows. Where it does not grow with the errors, those of a forecaster without it "
        "are narrower for the same coverage. The point forecast is the one without dropout.",
    )


class RecurrentParameters(Parameters):
    """What a recurrent network is made of."""

    cell: str = param(
        default="gru", constraint=Options.of(CELLS), doc="The recurrent cell; `tsrnn.nn.CELLS` may hold one's own too."
    )
    hidden_size: int | list[int] = param(
        default=32,
        constraint=AnyOf(Integer(1), ListOf(Integer(1))),
        doc="Units of each recurrent layer; a list gives one width per layer.",
    )
    n_layers: int = param(
        default=1,
        constraint=Integer(1),
        doc="Recurrent layers, one on top of the other. A parameter with one value per layer says it too.",
    )
    activation: str | list[str] = param(
        default="tanh",
        constraint=AnyOf(Options(*ACTIVATIONS), ListOf(Options(*ACTIVATIONS))),
        doc="Of the state; a list gives one per layer.",
    )
    recurrent_activation: str = param(default="sigmoid", constraint=Options(*ACTIVATIONS), doc="Of the gates.")
    reset_after: bool = param(
        default=True, constraint=Boolean(), doc="GRU: whether the reset gate acts after the recurrent product."
    )
    dropout: float | list[float] = param(
        default=0.0,
        constraint=AnyOf(_RATE, ListOf(_RATE)),
        doc="Share of each layer's inputs dropped in training, the same at every step; a list gives one per layer.",
    )
    recurrent_dropout: float | list[float] = param(
        default=0.0,
        constraint=AnyOf(_RATE, ListOf(_RATE)),
        doc="Share of the state dropped in training, the same at every step; a list gives one per layer.",
    )
    kernel_l1: float = param(default=0.0, constraint=Real(0), doc=_PENALTY.format("magnitudes", "kernels"))
    kernel_l2: float = param(default=0.0, constraint=Real(0), doc=_PENALTY.format("squares", "kernels"))
    recurrent_l1: float = param(default=0.0, constraint=Real(0), doc=_PENALTY.format("magnitudes", "recurrent kernels"))
    recurrent_l2: float = param(default=0.0, constraint=Real(0), doc=_PENALTY.format("squares", "recurrent kernels"))
    activity_l1: float = param(default=0.0, constraint=Real(0), doc=_ACTIVITY.format("magnitudes"))
    activity_l2: float = param(default=0.0, constraint=Real(0), doc=_ACTIVITY.format("squares"))
    layers: Any = param(
        default=None,
        constraint=NoneOr(ListOf(Instance(LayerSpec, "a layer such as GRU(32)"))),
        doc="The layers written out, in place of the parameters above; the output layer is added.",
    )


class StrategyParameters(Parameters):
    """How a recurrent network forecasts several rows."""

    strategy: Literal["direct", "recursive", "seq2seq"] = param(
        default="direct",
        constraint=Options("direct", "recursive", "seq2seq"),
        doc='How the rows of the horizon come about. "direct": a dense layer gives all of them at once. "recursive": '
        "the network is trained to forecast one row, reads its own forecast as if it had come, and so on; all columns "
        "must then be targets, for nobody forecasts the others. Validation and scores are of the whole horizon. "
        '"seq2seq": a decoder with as many recurrent layers goes on from the states in which those ended, row after '
        "row, and reads its own forecast of the row before.",
    )
    teacher_forcing: float = param(
        default=0.0,
        constraint=Real(0, 1),
        doc='With "seq2seq": share of the rows for which the decoder reads the true value of the row before in '
        "training, drawn anew for each window, row and step; else it reads its own forecast, as it has to later on. "
        "With more of it one row is learned sooner, but not to go on from errors. No gradient goes back through what "
        "is fed.",
    )
    teacher_forcing_decay: float = param(
        default=1.0, constraint=Real(0, 1), doc="What `teacher_forcing` is multiplied by after each epoch."
    )


class DenseParameters(Parameters):
    """What a fully connected network is made of."""

    hidden_size: int | list[int] = param(
        default=64,
        constraint=AnyOf(Integer(1), ListOf(Integer(1))),
        doc="Units of each hidden layer; a list gives one width per layer.",
    )
    activation: str = param(default="relu", constraint=Options(*ACTIVATIONS), doc="Of the hidden layers.")
    dropout: float = param(
        default=0.0, constraint=_RATE, doc="Share of each hidden layer's outputs dropped in training."
    )
    kernel_l1: float = param(default=0.0, constraint=Real(0), doc=_PENALTY.format("magnitudes", "kernels"))
    kernel_l2: float = param(default=0.0, constraint=Real(0), doc=_PENALTY.format("squares", "kernels"))
