"""Pictures, as scikit-learn's displays: made from an estimator or from what it gave, drawn with matplotlib."""

from tsrnn.plotting.attention import AttentionDisplay
from tsrnn.plotting.looking import GradientFlowDisplay, SaturationDisplay

__all__ = ["AttentionDisplay", "GradientFlowDisplay", "SaturationDisplay"]
