"""Constructor parameters of the estimators on sequences, beside those of all networks."""

from __future__ import annotations

from typing import Literal

from tsrnn._errors import Boolean, Integer, NoneOr, Options, Real
from tsrnn._networks import NetworkTraining
from tsrnn._parameters import param
from tsrnn.forecasting.declared import RecurrentParameters


class SequenceParameters(RecurrentParameters, NetworkTraining):
    """What sequences are, and how a network learns from them."""

    n_steps: int | None = param(
        default=None,
        constraint=NoneOr(Integer(1)),
        doc="Steps of a sequence where X has two dimensions, (sequences, n_steps * features). None: every column is a "
        "step of one feature.",
    )
    return_sequences: bool = param(
        default=False, constraint=Boolean(), doc="Give something for each step, and not one thing for the sequence."
    )
    embedding_dim: int | None = param(
        default=None,
        constraint=NoneOr(Integer(1)),
        doc="X holds tokens, whole numbers such as TokenSequencer gives, one for each step; for each a vector of this "
        "size is learned. 0 is padding and does not count, 1 is an unknown token, and so is what is greater than all "
        "tokens of the training sequences. Tokens are not scaled.",
    )
    scaler: Literal["standard", "minmax", "robust"] | None = param(
        default="standard",
        constraint=NoneOr(Options("standard", "minmax", "robust")),
        doc="Scaling of each feature over all steps of the training sequences.",
    )
    learning_rate: float = param(default=5e-3, constraint=Real(0, None, closed="neither"), doc="Size of the steps.")
    max_epochs: int = param(default=100, constraint=Integer(1), doc="Passes over the training sequences, at most.")
    batch_size: int = param(default=32, constraint=Integer(1), doc="Sequences in a step.")
    patience: int = param(default=10, constraint=Integer(1), doc="Epochs without improvement before early stopping.")
    validation_fraction: float = param(
        default=0.0,
        constraint=Real(0, 1, closed="left"),
        doc="Share of the sequences that is held out, drawn at random, for early stopping; without it the training "
        "loss says when to stop, as in scikit-learn's networks. Not used where `fit` gets `X_val`.",
    )
