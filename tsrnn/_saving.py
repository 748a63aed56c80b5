"""Fitted estimators as files, and back: what `save`, `load` and `tsrnn.load` are, for every estimator alike."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import Any, Protocol, Self

import numpy as np
from sklearn.exceptions import NotFittedError

import tsrnn
from tsrnn._encoding import decode_parameters, encode_parameters
from tsrnn._errors import quoted
from tsrnn._parameters import Parameters
from tsrnn._version import __version__
from tsrnn.persistence import ModelFileError, read_file, save_file, written_by

ESTIMATORS: dict[str, type[Saved]] = {}  # every estimator that is defined so far, by its name


class State(Protocol):
    """All that an estimator learned: one value, made of arrays and of what JSON can hold."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays to save, by name."""

    def document(self) -> dict[str, Any]:
        """The rest, as JSON can hold it."""


class Saved(Parameters, ABC):
    """Base of estimators that files can hold; abstract."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        ESTIMATORS[cls.__name__] = cls

    @abstractmethod
    def _adopt(self, state: Any) -> None:
        """Become fitted; nothing before this changes the estimator."""

    @classmethod
    @abstractmethod
    def _restored(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> State:
        """The state again from ``arrays()`` and ``document()``."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator to a file: arrays and JSON, no pickle.

        Callbacks and the path of a checkpoint are not saved.

        Parameters
        ----------
        path : str or path-like
            The file; one that exists is replaced once the new one is complete.
        """
        state: State = self._fitted()
        document = {"estimator": type(self).__name__, "parameters": encode_parameters(self), "state": state.document()}
        save_file(path, state.arrays(), document)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read an estimator of this class that ``save`` wrote; ``tsrnn.load`` reads any.

        Parameters
        ----------
        path : str or path-like
            The file.

        Raises
        ------
        ModelFileError
            For a file that is missing, damaged, foreign, of a newer format, or of another estimator.
        """
        loaded = load(path)
        if not isinstance(loaded, cls):
            name = type(loaded).__name__
            raise ModelFileError(f"'{path}' holds a {name}, not a {cls.__name__}. Read it with {name}.load(path).")
        return loaded

    def _fitted(self) -> Any:
        if "state_" not in vars(self):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet: call `fit` first.")
        return self.state_


def load(path: str | os.PathLike[str]) -> Saved:
    """Read any estimator that ``save`` wrote.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    forecaster, regressor or classifier
        Fitted: a forecaster's ``load(path).predict()`` goes on from the last rows of the training data.

    Raises
    ------
    ModelFileError
        For a file that is missing, damaged, foreign or of a newer format.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import tsrnn
    >>> frame = pd.DataFrame({"sales": [1.0, 2, 3] * 7}, index=pd.date_range("2024-01-01", periods=21))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tsrnn.NaiveForecaster().fit(frame).save(f"{folder}/naive.tsrnn")
    ...     tsrnn.load(f"{folder}/naive.tsrnn")
    NaiveForecaster()
    """
    arrays, document = read_file(path)
    try:
        if "stream" in document:
            raise ModelFileError(
                f"'{path}' holds a stream of a {document['stream']}. Read it with `Stream.load(path)`."
            )
        kind = estimator_class(path, document["estimator"])
        loaded = kind(**decode_parameters(document["parameters"]))
        state = kind._restored(arrays, document["state"])
        loaded._adopt(state)
    except ModelFileError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise _unusable(path, f"no estimator can be made of it ({error!r})") from error
    known = {"estimator": None, "parameters": None, "state": state.document()}
    unknown = _beyond(arrays, state.arrays()) + _beyond(document, known)
    if unknown:
        raise _unusable(path, f"it holds what this version does not know: {quoted(unknown)}")
    return loaded


def _beyond(found: Any, known: Any, place: str = "") -> list[str]:
    """Names in a file that this version would not have written, in mappings at any depth.

    A newer one may have: forecasts that leave out what they mean might be others than those that were saved.
    """
    if not isinstance(found, dict) or not isinstance(known, dict):
        return []
    names = [f"{place}{name}" for name in found if name not in known]
    shared = [name for name in found if name in known]
    return names + [deep for name in shared for deep in _beyond(found[name], known[name], f"{place}{name}.")]


def _unusable(path: str | os.PathLike[str], what: str) -> ModelFileError:
    writer = written_by(path)
    remedy = "" if writer == __version__ else " Load it with that version, or a newer one."
    return ModelFileError(
        f"'{path}' is a tsrnn file, but {what}. It was written by tsrnn {writer}; this is {__version__}.{remedy}"
    )


def estimator_class(path: str | os.PathLike[str], name: Any) -> type[Saved]:
    """The class of this name, of which a file says that it holds one."""
    if name in tsrnn.__all__:
        getattr(tsrnn, name)  # imports what defines it
    kind = ESTIMATORS.get(name)
    if kind is None:
        raise ModelFileError(
            f"'{path}' holds a {name}, which is no estimator of tsrnn itself. Import the module that defines it first."
        )
    return kind
