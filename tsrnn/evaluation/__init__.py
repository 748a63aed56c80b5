"""How good forecasts are: metrics on arrays of windows."""

from tsrnn.evaluation.metrics import bias, mae, mase, rmse, rmsse, skill, smape, wape

__all__ = ["bias", "mae", "mase", "rmse", "rmsse", "skill", "smape", "wape"]
