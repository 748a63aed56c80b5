"""From a frame to arrays and back: roles of columns, the grid of stamps, windows and scaling."""

from tsrnn.data.frame import locate_rows, read_history, read_training
from tsrnn.data.layout import columns_frame, forecast_frame, long_frame, stamp_of, tidy_frame
from tsrnn.data.names import decode_name, encode_name
from tsrnn.data.panel import Panel
from tsrnn.data.scaling import Scaling, fit_scaling
from tsrnn.data.schema import Roles, RowRules, Schema
from tsrnn.data.time_axis import TimeAxis
from tsrnn.data.windows import (
    WindowIndex,
    WindowShape,
    all_windows,
    border_rows,
    completed_windows,
    end_windows,
    split_windows,
    training_windows,
)

__all__ = [
    "Panel",
    "Roles",
    "RowRules",
    "Scaling",
    "Schema",
    "TimeAxis",
    "WindowIndex",
    "WindowShape",
    "all_windows",
    "border_rows",
    "columns_frame",
    "completed_windows",
    "decode_name",
    "encode_name",
    "end_windows",
    "fit_scaling",
    "forecast_frame",
    "locate_rows",
    "long_frame",
    "read_history",
    "read_training",
    "split_windows",
    "stamp_of",
    "tidy_frame",
    "training_windows",
]
