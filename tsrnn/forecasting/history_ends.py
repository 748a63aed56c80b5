"""The origins of a panel: where windows of history end, and what to call them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tsrnn.data import Panel, Schema, WindowShape, end_windows


def history_ends(panel: Panel, shape: WindowShape) -> np.ndarray:
    """The rows that end a window of history, whether or not the rows to be forecast from there are in the panel."""
    end_windows(panel, shape)  # refuses series that have none
    rows = np.arange(panel.n_rows)
    return rows[rows - panel.indptr[panel.series_of(rows)] >= shape.span - 1]


def cutoffs(schema: Schema, panel: Panel, origins: np.ndarray) -> pd.Index:
    """The stamps of these rows; in a panel behind the names of their series."""
    stamps = schema.axis.stamps(panel.ticks(origins)).rename("cutoff")
    if not schema.is_panel:
        return stamps
    ids = pd.Index(panel.ids, tupleize_cols=False)[panel.series_of(origins)]
    name = "id" if schema.id_name is None else schema.id_name
    return pd.MultiIndex.from_arrays([ids, stamps], names=[name, "cutoff"])
