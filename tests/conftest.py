"""Makes the oracles importable from every test, as ``from reference import recurrent``."""

import sys
import threading
from pathlib import Path

import numpy.linalg  # noqa: F401  (brings BLAS)
import pytest
from threadpoolctl import ThreadpoolController

# Write the fixtures; need packages that the tests do without.
collect_ignore = ["reference/make_keras_fixture.py", "reference/make_keras_layers_fixture.py"]

sys.path.insert(0, str(Path(__file__).resolve().parent))


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
