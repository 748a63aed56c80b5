"""Pictures, as scikit-learn's displays: made from an estimator or from what it gave, drawn with matplotlib."""

from tsrnn.plotting.attention import AttentionDisplay
from tsrnn.plotting.backtest import BacktestDisplay
from tsrnn.plotting.calibration import CalibrationDisplay
from tsrnn.plotting.comparison import CompareDisplay
from tsrnn.plotting.forecast import ForecastDisplay
from tsrnn.plotting.learning_curve import LearningCurve
from tsrnn.plotting.looking import GradientFlowDisplay, SaturationDisplay

__all__ = [
    "AttentionDisplay",
    "BacktestDisplay",
    "CalibrationDisplay",
    "CompareDisplay",
    "ForecastDisplay",
    "GradientFlowDisplay",
    "LearningCurve",
    "SaturationDisplay",
]
