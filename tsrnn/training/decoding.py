"""Training an encoder with a decoder on windows: the true values it may be fed, and how often it is, epoch by epoch."""

from __future__ import annotations

import numpy as np

from tsrnn._jit import prepare
from tsrnn.kernels.feeding import gather_targets
from tsrnn.kernels.program import Work
from tsrnn.nn.encoder_decoder import DecodingWorkspace, EncoderDecoder
from tsrnn.nn.workspace import Workspace
from tsrnn.training.events import EpochEnd
from tsrnn.training.tasks import TaskTile, WindowTask, WindowTile


class DecodingTask(WindowTask):
    """Forecasts of windows by an `EncoderDecoder`, whose steps are the rows of the horizon."""

    def tile(self, space: Workspace, dtype: np.dtype) -> TaskTile:
        return DecodingTile(self.series, self.measure, space, dtype)


class DecodingTile(WindowTile):
    """Windows on one tile; in training with the values that teacher forcing feeds."""

    space: DecodingWorkspace

    def forward(self, examples: np.ndarray) -> list[Work]:
        inputs, *network = self.sampled(examples)
        if not self.space.training:
            return [inputs, *network]
        return [inputs, prepare(gather_targets, self.series, self.place, self.space.truth), *network]

    def sampled(self, examples: np.ndarray) -> list[Work]:
        return super().forward(examples)  # nothing is chosen to be fed but what comes out


class TeacherForcing:
    """A callback that lets the share of true values that the decoder is fed fall from epoch to epoch.

    Parameters
    ----------
    network : EncoderDecoder
        That is trained.
    share : float
        In the first epoch.
    decay : float
        What the share is multiplied by after each epoch.
    """

    def __init__(self, network: EncoderDecoder, share: float, decay: float) -> None:
        self.network, self.share, self.decay = network, share, decay
        self.network.teacher_forcing[0] = share

    def __call__(self, epoch: EpochEnd) -> None:
        """Set the share of the epoch after this one."""
        self.network.teacher_forcing[0] = self.share * self.decay**epoch.epoch
