"""The folder with the original data files, which not every machine has."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data():
    """Return the folder that `TSRNN_SHARED_DATA` names, or else `shared/data` beside the project."""
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("TSRNN_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no data files at {folder}")
    return folder
