"""Checkpoints of ``fit`` as files: the state of training, and what it was a training of."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tsrnn._encoding import encode_parameters
from tsrnn._networks import NetworkTraining, was_interrupted
from tsrnn.persistence import ModelFileError, read_file, remove_partial_files, save_file, written_by
from tsrnn.training.checkpoint import Checkpoint, TrainState
from tsrnn.training.events import EpochEnd

ARRAYS = ("theta", "best_theta", "moments")
PLAIN = ("steps", "first_step", "best_loss", "best_epoch", "stopped")
KEYS = {"checkpoint_of", "parameters", "data", "seed", "history", *PLAIN}
NO_MATTER = ("n_jobs", "verbose", "checkpoint_every")  # to the weights
VALUES = "values"  # the fingerprint, among the facts about data
AFRESH = "give another path, or delete the file, to start afresh."


class CheckpointFile(Checkpoint):
    """The file of one fit, which is there until that has succeeded; found, read and checked when it is made.

    Parameters
    ----------
    path : str or path-like
        The file.
    every : int
        Epochs from one writing to the next.
    owner : str
        The estimator's class.
    parameters : mapping
        Those that decide what is learned, as JSON can hold them.

    Raises
    ------
    ValueError
        If there is a file of another configuration.
    ModelFileError
        If there is one that is damaged, of another kind, or of a newer version.
    """

    def __init__(self, path: str | os.PathLike[str], every: int, owner: str, parameters: Mapping[str, Any]) -> None:
        super().__init__(every)
        self.path = Path(os.path.realpath(path))
        self._fit: dict[str, Any] = {"checkpoint_of": owner, "parameters": dict(parameters)}
        self._arrays, self._document = self._found() if self.path.is_file() else ({}, {})
        if self._document:
            of = {"estimator": owner} | self._fit["parameters"]
            there = {"estimator": self._document["checkpoint_of"]} | self._document["parameters"]
            differing = _differing(there, of)
            if differing:
                raise ValueError(
                    f"`checkpoint` '{self.path}' is of another configuration: {'; '.join(differing)}. Fit with the "
                    f"parameters that it was begun with; {AFRESH}"
                )

    def seed(self, drawn: int) -> int:
        """What the random state was resolved to when the fit was begun: ``drawn``, if it begins now."""
        self._fit["seed"] = self._document.get("seed", drawn)
        return int(self._fit["seed"])

    def check_data(self, facts: Mapping[str, Any]) -> None:
        """Refuse to go on with other data than the fit was begun with: ``facts`` are numbers, and a fingerprint."""
        self._fit["data"] = dict(facts)
        if not self._document:
            return
        differing = _differing(self._document["data"], facts)
        if differing:
            known = [text for text in differing if not text.startswith(VALUES)]
            what = "; ".join(known) or "as many rows, but other values"
            raise ValueError(f"`checkpoint` '{self.path}' is of other data: {what}. Fit the same rows; {AFRESH}")

    def read(self, fresh: TrainState) -> TrainState | None:
        with self._writing():
            remove_partial_files(self.path)  # of processes that died while they wrote
        if not self._document:
            return None
        try:
            content: dict[str, Any] = {name: self._document[name] for name in PLAIN} | self._arrays
            history = tuple(EpochEnd(**record) for record in self._document["history"])
            state = TrainState(**content, history=history)
        except (KeyError, TypeError) as error:
            raise self._unusable(f"its content is not that of a checkpoint ({error!r}).") from error
        for name in ARRAYS:
            found, expected = getattr(state, name), getattr(fresh, name)
            if (found.shape, found.dtype) != (expected.shape, expected.dtype):
                raise self._unusable(
                    f"`{name}` must be {expected.dtype} of the shape {expected.shape}, as the network has it; got "
                    f"{found.dtype} of {found.shape}. The code of a layer has changed, or the version of tsrnn."
                )
        self._arrays = {}  # the trainer has copies
        return state

    def write(self, state: TrainState) -> None:
        arrays = {name: getattr(state, name) for name in ARRAYS}
        plain = {name: getattr(state, name) for name in PLAIN}
        document = self._fit | plain | {"history": [asdict(record) for record in state.history]}
        with self._writing():
            save_file(self.path, arrays, document)

    def remove(self) -> None:
        """The fit has come to its end: there is nothing to go on from."""
        self.path.unlink(missing_ok=True)

    def _found(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        try:
            arrays, document = read_file(self.path)
        except ModelFileError as error:
            raise ModelFileError(f"`checkpoint`: {error} Otherwise {AFRESH}") from error
        if "checkpoint_of" not in document:
            kind = document.get("estimator", "something else")
            raise ModelFileError(
                f"`checkpoint` '{self.path}' is a model file that holds a {kind}, and no checkpoint. Give another "
                "path: this file would be replaced."
            )
        if set(document) != KEYS:
            raise self._unusable(f"it must hold {sorted(KEYS)}; got {sorted(document)}.")
        return arrays, document

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(
                f"`checkpoint` '{self.path}' cannot be written ({error}). Give a file in a folder that is there and "
                "may be written to, on a disk with room."
            ) from error

    def _unusable(self, what: str) -> ModelFileError:
        return ModelFileError(
            f"`checkpoint` '{self.path}', written by tsrnn {written_by(self.path)}, cannot be gone on from: {what} "
            f"Go on with the version that wrote it; {AFRESH}"
        )


def open_checkpoint(estimator: NetworkTraining) -> CheckpointFile | None:
    """The checkpoint that an estimator's parameters ask for; None where they ask for none."""
    if estimator.checkpoint is None:
        return None
    parameters = {name: value for name, value in encode_parameters(estimator).items() if name not in NO_MATTER}
    return CheckpointFile(estimator.checkpoint, int(estimator.checkpoint_every), type(estimator).__name__, parameters)


def conclude(checkpoint: CheckpointFile | None, stopped: str | list[str] | None) -> None:
    """Once ``fit`` has succeeded: what can be gone on from stays, after Ctrl-C; what is complete goes."""
    if checkpoint is not None and not was_interrupted(stopped):
        checkpoint.remove()


def fingerprint(*parts: Any) -> str:
    """A digest of arrays, and of the ``repr`` of other things.

    Examples
    --------
    >>> fingerprint(np.arange(3.0), "a") == fingerprint(np.arange(3.0), "a")
    True
    >>> fingerprint(np.arange(3.0)) == fingerprint(np.arange(3.0, dtype=np.float32))
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        is_array = isinstance(part, np.ndarray)
        digest.update(repr((part.dtype.str, part.shape) if is_array else part).encode("utf-8", "surrogatepass"))
        if is_array:
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def _differing(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What is not the same, in words. By ``repr``: 1 is not True, and NaN is NaN."""
    texts = []
    for name in {**there, **here}:
        expected, got = (repr(given[name]) if name in given else "nothing" for given in (there, here))
        if expected != got:
            texts.append(f"{name} expected {expected}, got {got}")
    return texts
