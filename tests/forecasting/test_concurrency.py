"""Forecasters beside each other: in Python threads, after a fork, in joblib's workers, in Optuna's threads."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import optuna
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from tsrnn import DenseForecaster, GRUForecaster, LSTMForecaster, SimpleRNNForecaster
from tsrnn.training.threads import usable_cores

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.BelowNaiveWarning")

ROOT = Path(__file__).parents[2]
TINY = {"lookback": 7, "horizon": 3, "hidden_size": 4, "max_epochs": 3, "n_jobs": 2}
FORECASTERS = [
    GRUForecaster(random_state=0, recurrent_dropout=0.2, **TINY),
    LSTMForecaster(random_state=1, **TINY),
    SimpleRNNForecaster(random_state=2, **TINY),
    DenseForecaster(random_state=3, **TINY),
]


def bits(forecaster):
    """Weights and forecasts of a fitted forecaster."""
    return forecaster.state_.model.theta.tobytes(), forecaster.predict().to_numpy().tobytes()


def at_once(tasks):
    """Results of all tasks, each in a Python thread of its own and started together."""
    meet = threading.Barrier(len(tasks), timeout=60)

    def run(task):
        meet.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        futures = [pool.submit(run, task) for task in tasks]
        return [future.result(120) for future in futures]


def run_program(text, *arguments, **environment):
    """What a program prints, in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


# ---- Python threads --------------------------------------------------------------------------------------------------
def test_fits_in_several_python_threads(panel):

    def fit(forecaster):
        return bits(clone(forecaster).fit(panel))

    expected = [fit(forecaster) for forecaster in FORECASTERS]
    assert len(set(expected)) == len(FORECASTERS)
    found = at_once([partial(fit, forecaster) for forecaster in FORECASTERS])
    assert found == expected


def test_one_forecaster_predicts_in_several_python_threads(panel):
    """Each thread forecasts other histories again and again; none sees those of another."""
    fitted = clone(FORECASTERS[0]).fit(panel)
    histories = [panel.groupby(level="site").head(count) for count in (60, 70, 80, 85)]
    expected = [(fitted.predict(history).to_numpy(), fitted.score(history)) for history in histories]
    before = bits(fitted)

    def forecasts(history):
        return [(fitted.predict(history).to_numpy(), fitted.score(history)) for _ in range(5)]

    found = at_once([partial(forecasts, history) for history in histories])
    for results, (forecast, score) in zip(found, expected, strict=True):
        for again, scored in results:
            np.testing.assert_array_equal(again, forecast)
            assert scored == score
    assert bits(fitted) == before


COMPILING = """
import sys, threading
import numpy as np, pandas as pd
from tsrnn import DenseForecaster

index = pd.date_range("2024", periods=200, freq="h")
frame = pd.DataFrame(np.random.default_rng(0).standard_normal((200, 2)).cumsum(axis=0), index=index)
results, meet = {}, threading.Barrier(2)

def fit(number):
    meet.wait()
    forecaster = DenseForecaster(lookback=5, horizon=2, hidden_size=3, max_epochs=2, random_state=0, n_jobs=2)
    results[number] = forecaster.fit(frame).predict().to_numpy().tobytes().hex()

threads = [threading.Thread(target=fit, args=(number,)) for number in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(results[0]); print(results[1]); fit.__globals__["meet"] = threading.Barrier(1); fit(2); print(results[2])
"""


@pytest.mark.slow  # everything is compiled anew
def test_two_python_threads_compile_the_same_kernels(tmp_path):
    first, second, after = run_program(COMPILING, TSRNN_CACHE_DIR=str(tmp_path))
    assert first == second == after
    assert len(first) == 2 * 2 * 2 * 8
    assert len(list(tmp_path.glob("*.bin"))) > 5
    assert not list(tmp_path.glob("*.part"))
    assert run_program(COMPILING, TSRNN_CACHE_DIR=str(tmp_path))[0] == first  # what they left is sound


# ---- processes -------------------------------------------------------------------------------------------------------
FORKING = """
import multiprocessing
import numpy as np, pandas as pd
from tsrnn import GRUForecaster

index = pd.date_range("2024", periods=300, freq="h")
frame = pd.DataFrame(np.random.default_rng(0).standard_normal((300, 2)).cumsum(axis=0), index=index)
made = dict(lookback=5, horizon=2, hidden_size=3, max_epochs=2, n_jobs=2)

def bits(forecaster):
    return forecaster.state_.model.theta.tobytes().hex() + forecaster.predict(frame).to_numpy().tobytes().hex()

fitted = GRUForecaster(random_state=0, **made).fit(frame)
expected = bits(fitted), bits(GRUForecaster(random_state=1, **made).fit(frame))

def child(pipe):
    pipe.send((bits(fitted), bits(GRUForecaster(random_state=1, **made).fit(frame))))

if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=child, args=(there,))
    process.start()
    answered = here.poll(90)
    print("answered" if answered else "hangs", here.recv() == expected if answered else None)
    process.kill()
    process.join()
    print("parent", bits(fitted) == expected[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_child_fits_and_predicts():
    """Threads do not survive a fork: whoever waited for those of the parent would wait for ever."""
    assert run_program(FORKING) == ["answered True", "parent True"]


def test_workers_of_joblib(panel):
    expected = [bits(clone(forecaster).fit(panel)) for forecaster in FORECASTERS[:2]]
    found = joblib.Parallel(n_jobs=2)(joblib.delayed(clone(f).fit)(panel) for f in FORECASTERS[:2])
    assert [bits(forecaster) for forecaster in found] == expected


def test_workers_of_joblib_share_the_cores():
    share = max(1, joblib.cpu_count() // 2)
    assert joblib.Parallel(n_jobs=2)(joblib.delayed(usable_cores)() for _ in range(4)) == [share] * 4
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        assert joblib.Parallel(n_jobs=2)(joblib.delayed(usable_cores)() for _ in range(4)) == [1] * 4


def test_grid_search_with_workers(wide):
    def search(n_jobs):
        grid, folds = {"hidden_size": [2, 4]}, TimeSeriesSplit(2, test_size=25)
        return GridSearchCV(clone(FORECASTERS[0]), grid, cv=folds, n_jobs=n_jobs).fit(wide)

    serial, parallel = search(1), search(2)
    scores = [found.cv_results_["mean_test_score"] for found in (serial, parallel)]
    assert np.isfinite(scores[0]).all() and len(set(scores[0])) == 2
    np.testing.assert_array_equal(*scores)
    assert bits(serial.best_estimator_) == bits(parallel.best_estimator_)


# ---- Optuna ----------------------------------------------------------------------------------------------------------
def test_a_study_with_two_jobs(wide):
    settings = [{"hidden_size": size, "learning_rate": rate} for size in (2, 4) for rate in (1e-3, 1e-2)]
    expected = {str(s): clone(FORECASTERS[0]).set_params(**s).fit(wide).score(wide) for s in settings}
    at_work = set()

    def objective(trial):
        at_work.add(threading.get_ident())
        chosen = {
            "hidden_size": trial.suggest_int("hidden_size", 2, 4),
            "learning_rate": trial.suggest_float("learning_rate", 1e-3, 1e-2),
        }
        return clone(FORECASTERS[0]).set_params(**chosen).fit(wide).score(wide)

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    for chosen in settings:
        study.enqueue_trial(chosen)
    study.optimize(objective, n_trials=len(settings), n_jobs=2)
    assert len(at_work) == 2
    assert {str(trial.params): trial.value for trial in study.trials} == expected


# ---- BLAS ------------------------------------------------------------------------------------------------------------
def test_overlapping_fits_hold_blas_at_one_thread_and_give_it_back(wide, blas_threads):
    """The fit that began first ends first; the other goes on, and sees one thread still."""
    second_in, first_out, seen = threading.Event(), threading.Event(), []

    def first_waits(record):
        seen.append(blas_threads())
        assert second_in.wait(60)

    def second_waits(record):
        second_in.set()
        assert first_out.wait(60)
        seen.append(blas_threads())

    def first():
        clone(FORECASTERS[0]).set_params(callbacks=[first_waits], max_epochs=1).fit(wide)
        first_out.set()

    def second():
        clone(FORECASTERS[1]).set_params(callbacks=[second_waits], max_epochs=1).fit(wide)

    at_once([first, second])
    assert blas_threads() == {3}
    assert seen == [{1}, {1}]
