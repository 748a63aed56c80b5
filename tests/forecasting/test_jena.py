"""The Jena weather of 2020 as it comes: each error asks for the next parameter, and then it works."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsrnn import RNNForecaster

FOLDER = Path(os.environ.get("TSRNN_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
FILE = FOLDER / "weather_jena_2020.csv.gz"
pytestmark = [
    pytest.mark.skipif(not FILE.exists(), reason="the Jena file is not beside the project"),
    pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning"),
]


def test_each_error_asks_for_the_next_parameter():
    frame = pd.read_csv(FILE, encoding="latin-1", index_col=0)
    forecaster = RNNForecaster(hidden_size=4, lookback=24, sampling_rate=6, max_steps=3, random_state=0)
    for asked, given in [
        ("`duplicates='first'`", {"duplicates": "first"}),
        ("`na_values=[-9999]`", {"na_values": [-9999]}),
        ("`missing='ffill'`", {"missing": "ffill"}),
    ]:
        with pytest.raises(ValueError) as caught:
            forecaster.fit(frame)
        assert asked in str(caught.value)
        assert not hasattr(forecaster, "state_")
        forecaster.set_params(**given)
    forecast = forecaster.fit(frame).predict()
    assert forecast.shape == (144, 21)
    assert list(forecast.columns) == list(frame.columns)
    assert forecast.index.equals(pd.date_range("2021-01-01 00:10", periods=144, freq="10min", name=frame.index.name))
    assert np.isfinite(forecast.to_numpy()).all()
    assert forecaster.data_report_["codes_replaced"]["OT"] == 50
    assert forecaster.data_report_["absent_rows_filled"] == 9
