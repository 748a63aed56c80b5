"""Checkpoints: a fit that was cut short goes on to the same bits, and on nothing else than it was begun with."""

import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from sequence_sets import make_sequences

import tsrnn
from tsrnn import DenseForecaster, GRUForecaster, ModelFileError, RNNClassifier, RNNRegressor
from tsrnn.persistence import read_file, save_file

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

RNG = np.random.default_rng(0)
WIDE = pd.DataFrame(RNG.standard_normal((60, 3)), pd.date_range("2024", periods=60), ["wave", "walk", "noise"]).cumsum()
X, Y = make_sequences()
SIGNS = np.where(Y > 0, "up", "down")
TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 6, "random_state": 0, "batch_size": 16}
SEQUENCES = {"hidden_size": 4, "max_epochs": 6, "random_state": 0}
SEQ2SEQ = {"strategy": "seq2seq", "teacher_forcing": 1.0, "teacher_forcing_decay": 0.5}
CASES = {
    "recurrent": (GRUForecaster(**TINY, dropout=0.2, recurrent_dropout=0.2, lr_schedule="cosine"), (WIDE,)),
    "plateau": (
        GRUForecaster(
            **TINY | {"learning_rate": 0.2, "patience": 3, "max_epochs": 30}, lr_schedule="reduce_on_plateau"
        ),
        (WIDE,),
    ),
    "teacher forcing": (GRUForecaster(**TINY, **SEQ2SEQ, optimizer="sgd"), (WIDE[["wave"]],)),
    "dense": (DenseForecaster(**TINY, dropout=0.2, restore_best_weights=False), (WIDE,)),
    "distribution": (DenseForecaster(**TINY, loss="student_t"), (WIDE[["walk"]],)),
    "steps": (DenseForecaster(**TINY, max_steps=11), (WIDE,)),
    "regressor": (RNNRegressor(**SEQUENCES, validation_fraction=0.25), (X, Y)),
    "classifier": (RNNClassifier(**SEQUENCES, class_weight="balanced"), (X, SIGNS)),
}


class DiedError(Exception):
    """What a callback raises in place of a power cut."""


class Until:
    """A callback that dies at the end of an epoch."""

    def __init__(self, epoch, error=DiedError):
        self.epoch, self.error, self.heard = epoch, error, []

    def __call__(self, record):
        self.heard.append(record.epoch)
        if record.epoch == self.epoch:
            raise self.error


def fresh(estimator, **changes):
    return type(estimator)(**estimator.get_params() | changes)


def fitted(estimator, data, **changes):
    return fresh(estimator, **changes).fit(*data)


def cut_short(estimator, data, path, epoch, **changes):
    with pytest.raises(DiedError):
        fitted(estimator, data, checkpoint=path, callbacks=[Until(epoch)], **changes)
    assert path.exists()


def learned(estimator):
    """All that training gives, to the bit."""
    state = estimator.state_
    model = getattr(state, "model", state)  # of a forecaster, or of an estimator on sequences
    arrays = [model.theta, model.left.moments]
    history = estimator.history_.drop(columns="seconds")
    return [array.tobytes() for array in arrays], model.left.steps, history.to_csv(), state.best_epoch, state.stopped


@pytest.mark.parametrize("case", CASES)
def test_a_fit_that_was_cut_short_goes_on_to_the_same_bits(case, tmp_path):
    estimator, data = CASES[case]
    path = tmp_path / "run"
    for epoch in (2, 4):  # cut short twice; what died in the second epoch had ended the first
        cut_short(estimator, data, path, epoch)
        assert len(read_file(path)[1]["history"]) == epoch - 1
    heard = Until(None)
    resumed = fitted(estimator, data, checkpoint=path, callbacks=[heard], n_jobs=1, verbose=0)
    whole = fitted(estimator, data)
    assert learned(resumed) == learned(whole)
    assert heard.heard == whole.history_["epoch"].tolist()  # callbacks with a state come into it again
    assert not list(tmp_path.iterdir())  # a fit that has ended leaves nothing: the next one starts afresh


def test_a_training_that_has_ended_is_not_run_again(tmp_path, monkeypatch):
    """A process may die between the end of training and that of `fit`."""
    estimator, data = CASES["dense"]
    path = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("tsrnn._checkpoints.CheckpointFile.remove", lambda file: shutil.copy(file.path, path))
        whole = fitted(estimator, data, checkpoint=tmp_path / "first", checkpoint_every=4)
    assert read_file(path)[1]["stopped"] == "max_epochs"
    with monkeypatch.context() as patch:
        patch.setattr("tsrnn.training.trainer.Trainer._epoch", None)  # not to be called
        assert learned(fitted(estimator, data, checkpoint=path)) == learned(whole)
    assert not path.exists()


def test_epochs_from_one_writing_to_the_next(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr("tsrnn._checkpoints.save_file", lambda path, arrays, document: written.append(document))
    fitted(*CASES["dense"], checkpoint=tmp_path / "run", checkpoint_every=4)
    assert [len(document["history"]) for document in written] == [0, 4, 6]
    assert [document["stopped"] for document in written] == [None, None, "max_epochs"]


def test_ctrl_c_writes_the_last_whole_epoch(tmp_path):
    estimator, data = CASES["recurrent"]
    path = tmp_path / "run"
    with pytest.warns(UserWarning, match="interrupted"):
        stopped = fitted(estimator, data, checkpoint=path, checkpoint_every=5, callbacks=[Until(4, KeyboardInterrupt)])
    assert stopped.stopped_ == "interrupt" and len(stopped.history_) == 4
    assert len(read_file(path)[1]["history"]) == 3
    assert learned(fitted(estimator, data, checkpoint=path, checkpoint_every=2)) == learned(fitted(estimator, data))


def test_seeds_that_nobody_gave(tmp_path):
    """Training goes on with the seed that it was begun with."""
    estimator, data = CASES["regressor"]
    path = tmp_path / "run"
    cut_short(estimator, data, path, 3, random_state=None)
    seed = read_file(path)[1]["seed"]
    resumed = fitted(estimator, data, checkpoint=path, random_state=None)
    assert learned(resumed) == learned(fitted(estimator, data, random_state=seed))
    cut_short(estimator, data, path, 3, random_state=np.random.RandomState(7))
    resumed = fitted(estimator, data, checkpoint=path, random_state=np.random.RandomState(7))
    assert learned(resumed) == learned(fitted(estimator, data, random_state=np.random.RandomState(7)))


@pytest.mark.parametrize("case", ["dense", "regressor"])
def test_warm_starts(case, tmp_path):
    estimator, data = CASES[case]
    path, again = tmp_path / "run", {"warm_start": True, "learning_rate": 0.01}
    first, second = fitted(estimator, data), fitted(estimator, data)
    whole = first.set_params(**again).fit(*data)
    with pytest.raises(DiedError):
        second.set_params(**again, checkpoint=path, callbacks=[Until(3)]).fit(*data)
    with pytest.raises(ValueError, match="is of other data"):  # which has no earlier weights
        fitted(second, data, callbacks=None)
    assert learned(second.set_params(callbacks=None).fit(*data)) == learned(whole)


def test_refits_of_a_backtest_leave_it_alone(tmp_path):
    """It is of one fit; clones are fitted on other rows."""
    estimator, data = CASES["dense"]
    path = tmp_path / "run"
    cut_short(estimator, data, path, 2)
    before = path.read_bytes()
    found = fresh(estimator, checkpoint=path, max_epochs=1).backtest(*data, refit=True, every=10, train_length=40)
    assert found.fits == 2 and path.read_bytes() == before


@pytest.mark.parametrize(
    ("case", "change", "message"),
    [
        ("dense", {"hidden_size": 5}, r"another configuration: hidden_size expected 4, got 5\. Fit with.*delete"),
        ("dense", {"learning_rate": 0.1, "max_epochs": 7}, "learning_rate expected 0.002, got 0.1; max_epochs expect"),
        ("dense", {"random_state": 1}, "random_state expected 0, got 1"),
        ("dense", {"loss": "student_t"}, "loss expected 'mae', got 'student_t'"),
        ("dense", {"random_state": None}, "random_state expected 0, got None"),
        ("regressor", {"optimizer": "sgd"}, "optimizer expected 'adam', got 'sgd'"),
    ],
)
def test_of_another_configuration(case, change, message, tmp_path):
    estimator, data = CASES[case]
    path = tmp_path / "run"
    cut_short(estimator, data, path, 2)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        fitted(estimator, data, checkpoint=path, **change)
    assert path.read_bytes() == before


def test_of_another_estimator(tmp_path):
    estimator, data = CASES["regressor"]
    cut_short(estimator, data, tmp_path / "run", 2)
    with pytest.raises(ValueError, match="estimator expected 'RNNRegressor', got 'RNNClassifier'"):
        fitted(*CASES["classifier"], checkpoint=tmp_path / "run")


@pytest.mark.parametrize(
    ("case", "data", "message"),
    [
        ("dense", (WIDE[:-1],), r"of other data: rows expected 60, got 59\. Fit the same rows"),
        ("dense", (WIDE[["wave", "walk"]],), r"columns expected \['wave', 'walk', 'noise'\], got \['wave', 'walk'\]"),
        ("dense", (WIDE.replace({WIDE.iloc[3, 1]: 0.0}),), "of other data: as many rows, but other values"),
        ("regressor", (X[:-4], Y[:-4]), "validation sequences expected 10, got 9"),
        ("regressor", (X, -Y), "as many rows, but other values"),
        ("classifier", (X, np.where(Y > 0, "up", "same")), "as many rows, but other values"),
    ],
)
def test_of_other_data(case, data, message, tmp_path):
    estimator, own = CASES[case]
    cut_short(estimator, own, tmp_path / "run", 2)
    with pytest.raises(ValueError, match=message):
        fitted(estimator, data, checkpoint=tmp_path / "run")


def test_files_that_are_none(tmp_path, monkeypatch):
    estimator, data = CASES["dense"]
    path = tmp_path / "run"
    cut_short(estimator, data, path, 2)
    whole, (arrays, document) = path.read_bytes(), read_file(path)

    def refused(message):
        before = path.read_bytes()
        with pytest.raises(ModelFileError, match=message):
            fitted(estimator, data, checkpoint=path)
        assert path.read_bytes() == before

    path.write_bytes(whole[:-5])
    refused("`checkpoint`: .*damaged or cut off.*delete the file")
    path.write_bytes(whole[:60])
    refused("cut off after 60 bytes")
    save_file(path, arrays, document | {"tempo": 3})
    refused(rf"written by tsrnn {tsrnn.__version__}, cannot be gone on from: it must hold .*got .*'tempo'")
    save_file(path, arrays | {"theta": arrays["theta"][1:]}, document)
    refused(r"`theta` must be float32 of the shape \(\d+,\), as the network has it; got float32 of")
    save_file(path, {"theta": arrays["theta"]}, document)
    refused("its content is not that of a checkpoint")
    fitted(estimator, data).save(path)
    refused("a model file that holds a DenseForecaster, and no checkpoint. Give another path")
    with monkeypatch.context() as patch:
        patch.setattr("tsrnn.persistence.FORMAT_VERSION", 99)
        save_file(path, arrays, document)
    refused("format 99.*upgrade tsrnn")


def test_what_cannot_be_written_is_noticed_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr("tsrnn.training.trainer.Trainer._epoch", None)  # not to be called
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"`checkpoint` .*run' cannot be written \(.*does not exist.*Give a file in"):
        fitted(*CASES["dense"], checkpoint=tmp_path / "absent" / "run")
    with pytest.raises(OSError, match="it is a folder. Give the path of a file"):
        fitted(*CASES["dense"], checkpoint=str(tmp_path / "folder"))

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tsrnn.persistence.os.fsync", full)
    with pytest.raises(OSError, match="No space left on device.*disk with room"):
        fitted(*CASES["regressor"], checkpoint=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_parts_of_files_are_cleared_away(tmp_path):
    """Those that a process left which died while it wrote; nobody else's."""
    own, others = tmp_path / ".run.0123abcd.part", [tmp_path / ".runs.0123abcd.part", tmp_path / ".run.mine.part"]
    for part in (own, *others):
        part.write_bytes(b"cut off")
    cut_short(*CASES["dense"], tmp_path / "run", 2)
    assert not own.exists() and all(part.exists() for part in others)


def test_a_fit_that_diverges_leaves_nothing(tmp_path):
    """It would diverge again."""
    wild = {"learning_rate": 1e30, "clip_norm": None, "optimizer": "sgd", "loss": "mse"}
    for case in ("dense", "regressor"):
        with pytest.raises(tsrnn.DivergedError):
            fitted(*CASES[case], checkpoint=tmp_path / "run", **wild)
        assert not list(tmp_path.iterdir())


def test_the_path_is_not_saved(tmp_path):
    fitted(*CASES["dense"], checkpoint=tmp_path / "run").save(tmp_path / "model")
    assert tsrnn.load(tmp_path / "model").checkpoint is None


PROGRAM = """
import sys
import numpy as np
import pandas as pd
from tsrnn import DenseForecaster
values = np.random.default_rng(0).standard_normal((200, 3)).cumsum(axis=0)
DenseForecaster(
    hidden_size=128, lookback=7, horizon=3, dropout=0.2, lr_schedule="reduce_on_plateau", learning_rate=0.01,
    early_stopping=False, max_epochs=600, random_state=0, callbacks=[lambda record: print(record.epoch, flush=True)],
    checkpoint=sys.argv[2] if len(sys.argv) > 2 else None,
).fit(values).save(sys.argv[1])
"""


def begun(*arguments, known=0):
    """A process that trains, from the moment on when it has told of an epoch after those that are known."""
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", PROGRAM, *arguments], stdout=subprocess.PIPE)
    while int(process.stdout.readline()) <= known:
        pass
    return process


def ended(process):
    """Once it has come to its end of its own accord."""
    process.communicate()
    assert process.returncode == 0


def of_file(path):
    """All that was learned, but how long it took."""
    arrays, document = read_file(path)
    state = document["state"]
    history = [{name: value for name, value in row.items() if name != "seconds"} for row in state["history"]]
    return {name: array.tobytes() for name, array in arrays.items()}, history, state["best_epoch"], state["stopped"]


@pytest.mark.slow  # two minutes: a process for each kill
def test_kills_at_any_moment(tmp_path):
    """Of twenty, ten at random moments and ten while the file is being written."""
    path, parts, epochs = tmp_path / "run", 0, [0]
    for kill, moment in enumerate(np.random.default_rng(1).uniform(0, 0.1, 20)):
        process = begun(tmp_path / "killed", path, known=epochs[-1])
        time.sleep(moment)
        while kill % 2 and not list(tmp_path.glob(".run.*.part")):
            assert process.poll() is None, "it came to its end before it was killed: train for longer"
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        parts += len(list(tmp_path.glob(".run.*.part")))
        assert not (tmp_path / "killed").exists()
        epochs.append(len(read_file(path)[1]["history"]))
    assert parts >= 3
    assert epochs == sorted(epochs) and 10 < epochs[-1] < 600
    ended(begun(tmp_path / "killed", path))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["killed"]
    ended(begun(tmp_path / "whole"))
    assert of_file(tmp_path / "killed") == of_file(tmp_path / "whole")
