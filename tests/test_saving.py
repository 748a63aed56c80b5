"""Files of all estimators: in another process, and by another version of tsrnn."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sequence_sets import make_sequences

import tsrnn
from tsrnn import (
    DenseForecaster,
    GRUForecaster,
    LinearForecaster,
    ModelFileError,
    NaiveForecaster,
    RNNClassifier,
    RNNRegressor,
    persistence,
)
from tsrnn.persistence import read_file, save_file

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

FRAME = pd.DataFrame({"walk": np.random.default_rng(0).normal(size=90).cumsum()}, pd.date_range("2024", periods=90))
X, Y = make_sequences()
TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 1, "random_state": 0, "n_jobs": 1}
SEQUENCES = {"hidden_size": 4, "max_epochs": 1, "random_state": 0, "n_jobs": 1}
FITTED = {
    "naive": (NaiveForecaster(method="mean", lookback=5, horizon=3), (FRAME,)),
    "linear": (LinearForecaster(lookback=7, horizon=3), (FRAME,)),
    "dense": (DenseForecaster(**TINY), (FRAME,)),
    "recurrent": (GRUForecaster(**TINY, instance_norm="standard"), (FRAME,)),
    "regressor": (RNNRegressor(**SEQUENCES), (X, Y)),
    "classifier": (RNNClassifier(**SEQUENCES), (X, np.where(Y > 0, "up", "down"))),
}
PROGRAM = """
import sys
from pathlib import Path
import numpy as np
import tsrnn
X = np.load(sys.argv[1] + "/X.npy")
for path in sorted(Path(sys.argv[1]).glob("*.tsrnn")):
    model = tsrnn.load(path)
    if "n_jobs" in model.get_params():
        model.set_params(n_jobs=2)
    forecast = model.predict(X) if path.stem == "regressor" else None
    forecast = model.predict_proba(X) if path.stem == "classifier" else forecast
    forecast = model.predict().to_numpy() if forecast is None else forecast
    print(path.stem, forecast.tobytes().hex())
"""


def forecast_of(name, model):
    if name == "classifier":
        return model.predict_proba(X)
    return model.predict(X) if name == "regressor" else model.predict().to_numpy()


def test_the_same_bits_in_another_process_with_other_threads(tmp_path):
    np.save(tmp_path / "X.npy", X)
    expected = {}
    for name, (estimator, data) in FITTED.items():
        model = estimator.fit(*data)
        model.save(tmp_path / f"{name}.tsrnn")
        expected[name] = forecast_of(name, model).tobytes().hex()
    done = subprocess.run([sys.executable, "-c", PROGRAM, tmp_path], capture_output=True, text=True, check=True)
    assert dict(line.split() for line in done.stdout.splitlines()) == expected


def newer(path, arrays, document, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(persistence, "__version__", "9.1.0")
        save_file(path, arrays, document)
    with pytest.raises(ModelFileError) as caught:
        tsrnn.load(path)
    return str(caught.value)


@pytest.mark.parametrize("name", ["linear", "dense", "regressor"])
def test_what_a_newer_version_added_is_not_left_out(name, tmp_path, monkeypatch):
    """An older one would forecast without it."""
    estimator, data = FITTED[name]
    path = tmp_path / "file"
    estimator.fit(*data).save(path)
    arrays, document = read_file(path)
    versions = f"It was written by tsrnn 9.1.0; this is {tsrnn.__version__}. Load it with that version, or a newer one."
    owner = "weights" if name == "regressor" else "model"
    changed = [
        (arrays | {f"{owner}.wings": np.zeros(2)}, document, f"does not know: '{owner}.wings'"),
        (arrays, document | {"wings": 2}, "it holds what this version does not know: 'wings'"),
        (arrays, document | {"state": document["state"] | {"wings": 2}}, "does not know: 'state.wings'"),
        (arrays, document | {"parameters": document["parameters"] | {"wings": 2}}, "has no parameter 'wings'"),
        (arrays, document | {"parameters": document["parameters"] | {"scaler": {"spec": "Wings"}}}, "Wings"),
    ]
    for some, other, message in changed:
        found = newer(path, some, other, monkeypatch)
        assert message in found and versions in found
    if name == "dense":
        model = document["state"]["model"] | {"wings": 2}
        found = newer(path, arrays, document | {"state": document["state"] | {"model": model}}, monkeypatch)
        assert "does not know: 'state.model.wings'" in found
    with pytest.raises(ModelFileError, match=rf"this is {tsrnn.__version__}\.$"):  # the same
        save_file(path, arrays, {"estimator": document["estimator"]})
        tsrnn.load(path)
