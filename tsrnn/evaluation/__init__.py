"""How good forecasts are: metrics on arrays of windows, scores of quantiles and samples, a test of two forecasts."""

from tsrnn.evaluation.calibration import coverage_by_level, pit_histogram
from tsrnn.evaluation.comparison import DieboldMariano, diebold_mariano, mean_interval
from tsrnn.evaluation.metrics import bias, mae, mase, rmse, rmsse, skill, smape, wape
from tsrnn.evaluation.probabilistic import (
    coverage,
    crps_from_quantiles,
    crps_from_samples,
    energy_score,
    pinball,
    winkler_score,
)

__all__ = [
    "DieboldMariano",
    "bias",
    "coverage",
    "coverage_by_level",
    "crps_from_quantiles",
    "crps_from_samples",
    "diebold_mariano",
    "energy_score",
    "mae",
    "mase",
    "mean_interval",
    "pinball",
    "pit_histogram",
    "rmse",
    "rmsse",
    "skill",
    "smape",
    "wape",
    "winkler_score",
]
