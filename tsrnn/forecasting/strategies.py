"""How the outputs of a network become the rows of a forecast: all at once, or one after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tsrnn._errors import quoted
from tsrnn.data import WindowShape, training_windows
from tsrnn.forecasting.memory import SINGLE
from tsrnn.forecasting.prepare import Prepared, Split
from tsrnn.forecasting.stepping import NetworkStepper, RecursiveStepper, Stepper
from tsrnn.kernels.gather import Series
from tsrnn.kernels.simd import LANES
from tsrnn.nn.encoder_decoder import EncoderDecoder
from tsrnn.nn.layer import LayerSpec, Shape
from tsrnn.nn.network import Network
from tsrnn.training.decoding import DecodingTask, TeacherForcing
from tsrnn.training.events import Callback
from tsrnn.training.measures import NO_UNITS
from tsrnn.training.recursive import RecursiveTask, one_row_ahead
from tsrnn.training.tasks import WindowTask

if TYPE_CHECKING:
    from tsrnn.forecasting.network_model import NetworkModel
    from tsrnn.forecasting.state import History


class Strategy(ABC):
    """What a strategy makes of layers and windows; abstract."""

    trains_on_forecasts = True  # whether ``training_task`` and ``task`` are the same
    takes_distributions = False  # whether the output may be more than point forecasts

    @abstractmethod
    def outputs(self, horizon: int, n_targets: int) -> int:
        """Numbers that the output layer gives."""

    def network(self, specs: Sequence[LayerSpec], shape: Shape, horizon: int) -> Network:
        """The network of these layers, of which the last is the output layer."""
        return Network(specs, shape)

    def prepared(self, prepared: Prepared, stride: int) -> Prepared:
        """The windows that the network is trained on, if it is not the forecaster's own; refuses what cannot be."""
        return prepared

    def trained_shape(self, shape: WindowShape) -> WindowShape:
        """Of the windows that the network is trained on, if it is not the forecaster's own."""
        return shape

    def fed_back(self, prepared: Prepared) -> int:
        """Bytes of the rows that the windows of a tile have for themselves."""
        return 0

    def training_task(self, series: Series, head: Any, units: np.ndarray = NO_UNITS) -> WindowTask:
        """What the network is trained on."""
        return WindowTask(series, head, units)

    def task(self, series: Series, head: Any, units: np.ndarray = NO_UNITS) -> WindowTask:
        """What it is validated on, and what forecasts with it."""
        return WindowTask(series, head, units)

    def callbacks(self, network: Network, settings: Any) -> list[Callback]:
        """What is to happen after each epoch, by the forecaster's parameters."""
        return []

    def stepper(self, model: NetworkModel, history: History, series: Series) -> Stepper:
        """Forecasts of one series as it goes on."""
        return NetworkStepper(model, history, model.single(), series)


class Direct(Strategy):
    """All rows of the horizon at once."""

    takes_distributions = True

    def outputs(self, horizon: int, n_targets: int) -> int:
        return horizon * n_targets


class Recursive(Strategy):
    """One row, which is then read as if it had come, and so on."""

    trains_on_forecasts = False

    def outputs(self, horizon: int, n_targets: int) -> int:
        return n_targets

    def prepared(self, prepared: Prepared, stride: int) -> Prepared:
        covariates = prepared.schema.past_covariates
        if covariates:
            raise ValueError(
                '`strategy="recursive"` reads its own forecasts, but nobody forecasts the past covariates '
                f"{quoted(covariates, 10)}. Forecast them too (`target=None`, or name them in `target`), leave them "
                'out (`past_covariates=[]`), or use `strategy="direct"` or "seq2seq".'
            )
        panel, shape = prepared.training.panel, self.trained_shape(prepared.shape)
        training = Split(panel, training_windows(panel, shape, prepared.train_end, stride))
        return prepared.weighed(training, shape) if prepared.equal_series else replace(prepared, training=training)

    def trained_shape(self, shape: WindowShape) -> WindowShape:
        return replace(shape, gap=0, horizon=1)

    def fed_back(self, prepared: Prepared) -> int:
        return LANES * prepared.shape.total * prepared.training.panel.n_channels * SINGLE

    def training_task(self, series: Series, head: Any, units: np.ndarray = NO_UNITS) -> WindowTask:
        return WindowTask(one_row_ahead(series), head)

    def task(self, series: Series, head: Any, units: np.ndarray = NO_UNITS) -> WindowTask:
        return RecursiveTask(series, head)

    def stepper(self, model: NetworkModel, history: History, series: Series) -> Stepper:
        return RecursiveStepper(model, history, model.single(), series)


class Seq2Seq(Strategy):
    """One row after the other, by a decoder that goes on from the state in which the layers ended."""

    def outputs(self, horizon: int, n_targets: int) -> int:
        return n_targets

    def network(self, specs: Sequence[LayerSpec], shape: Shape, horizon: int) -> Network:
        return EncoderDecoder(specs, shape, horizon)

    def training_task(self, series: Series, head: Any, units: np.ndarray = NO_UNITS) -> WindowTask:
        return DecodingTask(series, head)

    def task(self, series: Series, head: Any, units: np.ndarray = NO_UNITS) -> WindowTask:
        return DecodingTask(series, head)

    def callbacks(self, network: Network, settings: Any) -> list[Callback]:
        return [TeacherForcing(cast(EncoderDecoder, network), settings.teacher_forcing, settings.teacher_forcing_decay)]


STRATEGIES: dict[str, Strategy] = {"direct": Direct(), "recursive": Recursive(), "seq2seq": Seq2Seq()}
