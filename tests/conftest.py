"""Makes the oracles importable from every test, as ``from reference import recurrent``; which files come first."""

import sys
import threading
from pathlib import Path

import numpy.linalg  # noqa: F401  (brings BLAS)
import pytest
from threadpoolctl import ThreadpoolController

# Write the fixtures; need packages that the tests do without.
collect_ignore = ["reference/make_keras_fixture.py", "reference/make_keras_layers_fixture.py"]

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS))

# The files that take longest, most of it to compile: where one of them came last, the other process would wait for it.
FIRST = [
    "nn/test_recurrent.py",
    "kernels/test_processors.py",
    "nn/test_bidirectional.py",
    "nn/test_single.py",
    "nn/test_machine_code.py",
    "forecasting/test_memory.py",
    "estimators/test_estimator_checks.py",
    "forecasting/test_estimator_checks.py",
    "forecasting/test_concurrency.py",
    "test_jit.py",
    "test_docs_cells.py",
    "examples/test_digits.py",
    "examples/test_authorship.py",
    "examples/test_rnn_vocabulary.py",
    "examples/test_pipeline.py",
    "test_examples.py",
    "nn/test_without_jit.py",
    "nn/test_testing.py",
    "reference/test_reference_recurrent.py",
]


def pytest_collection_modifyitems(items):
    """xdist hands files out in the order of their tests."""
    places = {TESTS / name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def in_a_thread(task):
    """Run it and wait; threadpoolctl lets nobody else change a limit while the thread that set it lives."""
    thread = threading.Thread(target=task)
    thread.start()
    thread.join()


@pytest.fixture
def blas_threads():
    """How many threads BLAS has, as a set over the libraries; three to begin with, and to end with."""

    def found():
        return {library["num_threads"] for library in ThreadpoolController().info() if library["user_api"] == "blas"}

    limits = []
    in_a_thread(lambda: limits.append(ThreadpoolController().limit(limits=3, user_api="blas")))
    if found() != {3}:
        pytest.skip("the BLAS library does not take another number of threads")
    yield found
    left = found()
    in_a_thread(limits[0].restore_original_limits)
    assert left == {3}
