"""The Jena weather of 2020 as it comes: a duplicate stamp, codes for missing values, a hole."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsrnn.data import Roles, RowRules, WindowShape, read_training, split_windows

FILE = Path(__file__).parents[3] / "shared" / "data" / "weather_jena_2020.csv.gz"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the Jena file is not beside the project")


@pytest.fixture(scope="module")
def jena():
    return pd.read_csv(FILE, encoding="latin-1")


@pytest.mark.parametrize("as_column", [True, False])
def test_each_error_asks_for_the_next_remedy(jena, as_column):
    table, roles = (jena, Roles(time_col="date")) if as_column else (jena.set_index("date"), Roles())
    given = {}
    for remedy, told in [
        ("duplicates", ["came before: 1, the first at 2020-05-12 06:00:00", "`duplicates='first'`"]),
        ("na_values", ["-9999 in the column 'wv (m/s)'", "'OT' (count 50", "`na_values=[-9999]`"]),
        ("missing", ["absent stamps: 9, the first 2020-05-29 09:40:00", "'OT': 50 missing", "`missing='ffill'`"]),
    ]:
        with pytest.raises(ValueError) as caught:
            read_training(table, None, roles, RowRules(**given))
        for part in told:
            assert part in str(caught.value)
        given[remedy] = {"duplicates": "first", "na_values": [-9999], "missing": "ffill"}[remedy]
    schema, panel, report = read_training(table, None, roles, RowRules(**given))
    assert schema.axis.label == "10min"
    assert schema.axis.season() == 144
    assert panel.values.shape == (52_704, 21)  # every ten minutes of a leap year
    assert np.isfinite(panel.values).all()
    assert panel.values.min() > -9999
    assert report["codes_replaced"]["OT"] == 50
    assert report["absent_rows_filled"] == 9
    assert report["duplicates"]["rows"] == 1


def test_windows_of_the_published_protocol(jena):
    rules = RowRules(duplicates="first", na_values=[-9999], missing="ffill")
    _, panel, _ = read_training(jena, None, Roles(target="T (degC)", time_col="date"), rules)
    shape = WindowShape(lookback=120, horizon=1, gap=143, sampling_rate=6)
    training, validation, train_end = split_windows(panel, shape, 0.25)
    assert train_end.tolist() == [39_528]
    assert len(training) == 39_528 - shape.total + 1
    assert len(validation) == 52_704 - 39_528
