"""A model for each series of a panel (``scope="local"``): fitted side by side, and used as one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar, final

import numpy as np

from tsrnn._errors import DivergedError, quoted
from tsrnn._networks import was_interrupted
from tsrnn.data import Panel, WindowIndex, decode_name, encode_name
from tsrnn.data.names import Name
from tsrnn.forecasting.distributions import Distribution, Parts
from tsrnn.forecasting.memory import ModelMemory
from tsrnn.forecasting.prepare import Prepared, Split
from tsrnn.forecasting.side_by_side import EachStepper
from tsrnn.forecasting.state import Fitted, History, Model
from tsrnn.forecasting.stepping import Stepper
from tsrnn.nn.summary import Table
from tsrnn.training.threads import Team, resolve_n_jobs

if TYPE_CHECKING:
    from tsrnn.forecasting.base import Forecaster

Found = TypeVar("Found")


@final
class LocalModel(Model):
    """Models of the same form, one for each series.

    Parameters
    ----------
    models : sequence of Model
    ids : sequence of names
        The series of each.
    """

    def __init__(self, models: Sequence[Model], ids: Sequence[Name]) -> None:
        self.models, self.ids = tuple(models), tuple(ids)
        self._places = {name: place for place, name in enumerate(self.ids)}

    def __repr__(self) -> str:
        return f"a model for each of {len(self.models)} series"

    @property
    def reads_covariates(self) -> bool:
        """As each of the models."""
        return self.models[0].reads_covariates

    @property
    def levels(self) -> tuple[float, ...]:
        """As of each of the models."""
        return self.models[0].levels

    @property
    def memory(self) -> int:
        """As of each of the models."""
        return self.models[0].memory

    @property
    def n_params(self) -> int:
        """Of all models together."""
        return sum(model.n_params for model in self.models)

    def tables(self) -> tuple[Table, ...]:
        """How many there are, and one of them."""
        rows = (("series", f"{len(self.models):,}"), ("parameters of each", f"{self.models[0].n_params:,}"))
        return (Table(("models", "number"), rows, "A model for each series"), *self.models[0].tables())

    def of(self, name: Name) -> Model | None:
        """That of a series; None where there is none."""
        return self.models[self._places[name]] if name in self._places else None

    def predict(self, history: History, windows: WindowIndex) -> np.ndarray:
        """Forecasts (windows, horizon, targets) in data units."""
        parts = self._each(history, windows, lambda model, *given: model.predict(*given))
        found = np.empty((len(windows), history.shape.horizon, history.n_targets))
        for rows, part in parts:
            found[rows] = part
        return found

    def distribution(self, history: History, windows: WindowIndex) -> Distribution | None:
        """Of each number that is forecast, where the models give one."""
        parts = self._each(history, windows, lambda model, *given: model.distribution(*given))
        own = [(rows, part) for rows, part in parts if part is not None]
        return Parts((len(windows), history.shape.horizon, history.n_targets), own) if own else None

    def paths(self, history: History, windows: WindowIndex, n: int, seed: int) -> np.ndarray | None:
        """Those of each model, all from the same seed; None where the models draw none."""
        parts = self._each(history, windows, lambda model, *given: model.paths(*given, n, seed))
        found = np.empty((n, len(windows), history.shape.horizon, history.n_targets))
        for rows, part in parts:
            if part is None:
                return None
            found[:, rows] = part
        return found

    def stepper(self, history: History) -> Stepper:
        """Forecasts of the series of ``history`` as they go on, each by its own model."""
        models, panel = [self.models[place] for place in self._known(history.panel)], history.panel
        if len(models) == 1:
            return models[0].stepper(history)
        alone = [replace(history, panel=panel.select(np.array([place]))) for place in range(panel.n_series)]
        return EachStepper([model.stepper(own) for model, own in zip(models, alone, strict=True)])

    def arrays(self) -> dict[str, np.ndarray]:
        """Those of all models, one above the other."""
        each = [model.arrays() for model in self.models]
        return {name: np.stack([arrays[name] for arrays in each]) for name in each[0]}

    def document(self) -> dict[str, Any]:
        """That of each model, and the series."""
        return {"local": [model.document() for model in self.models], "ids": [encode_name(name) for name in self.ids]}

    @classmethod
    def of_kind(cls, kind: type[Model], arrays: dict[str, np.ndarray], document: dict[str, Any]) -> LocalModel:
        """The models again, each of this class."""
        ids = [decode_name(name) for name in document["ids"]]
        each = [{name: array[place] for name, array in arrays.items()} for place in range(len(ids))]
        return cls([kind.restore(*own) for own in zip(each, document["local"], strict=True)], ids)

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> LocalModel:
        """Of what class the models are the document does not say: see ``of_kind``."""
        raise TypeError("A LocalModel is restored by `LocalModel.of_kind`, which is told the class of its models.")

    def _each(
        self, history: History, windows: WindowIndex, ask: Callable[[Model, History, WindowIndex], Found]
    ) -> list[tuple[np.ndarray, Found]]:
        """What each model says, with the windows that it was asked about."""
        places = self._known(history.panel)[windows.series]
        order = np.argsort(places, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(places[order])) + 1) if len(order) else []
        alone = replace(history, n_jobs=1)
        alone.scaled  # noqa: B018  before several threads ask for it

        def one(rows: np.ndarray) -> tuple[np.ndarray, Found]:
            own = WindowIndex(windows.series[rows], windows.origin[rows])
            return rows, ask(self.models[places[rows[0]]], alone, own)

        return side_by_side([partial(one, rows) for rows in groups], history.n_jobs)

    def _known(self, panel: Panel) -> np.ndarray:
        """The place of each series among the models."""
        unseen = [name for name in dict.fromkeys(panel.ids) if name not in self._places]
        if unseen:
            raise ValueError(
                f'With `scope="local"` each series of `fit` has a model of its own; X holds {len(unseen)} that `fit` '
                f"has not seen: {quoted(unseen)}. Fit with their rows too, leave them out, or fit one model for all "
                'series (`scope="global"`), which forecasts new ones.'
            )
        return np.array([self._places[name] for name in panel.ids], np.int64)


def fit_local(forecaster: Forecaster, prepared: Prepared, seed: int) -> Fitted:
    """A model for each series, as if the forecaster had been given its rows alone: with the same seed, and one thread.

    Where each epoch ended is not kept.
    """
    ids = prepared.training.panel.ids
    calls = [partial(_fit_one, forecaster, own, seed) for own in _by_series(prepared)]
    return Fitted(LocalModel(side_by_side(calls, forecaster.n_jobs), ids))


def local_memory(forecaster: Forecaster, prepared: Prepared) -> ModelMemory:
    """What the fits of the longest series take that go on at once."""
    longest = int(prepared.training.panel.lengths.argmax())
    threads = min(resolve_n_jobs(forecaster.n_jobs), prepared.training.panel.n_series)
    one = _alone(forecaster, None)._model_memory(next(_by_series(prepared, longest)))
    fitting, forecasting = (
        {name: size * threads for name, size in parts.items()} for parts in (one.fitting, one.forecasting)
    )
    return ModelMemory(fitting, forecasting, one.forecast)


def side_by_side(calls: Sequence[Callable[[], Found]], n_jobs: int | None) -> list[Found]:
    """Make calls on some threads, each the next one that is left; the results in the order of the calls."""
    found: dict[int, Found] = {}
    left: SimpleQueue[int] = SimpleQueue()
    for number in range(len(calls)):
        left.put(number)

    def work(thread: int, share: range) -> None:
        try:
            for number in _taken(left):
                found[number] = calls[number]()
        finally:  # after an error nobody begins anything more
            for _ in _taken(left):
                pass

    threads = min(resolve_n_jobs(n_jobs), len(calls))
    if threads:
        with Team(threads) as team:
            team.spread(work, threads)
    return [found[number] for number in range(len(calls))]


def _taken(queue: SimpleQueue[int]) -> Iterator[int]:
    while True:
        try:
            yield queue.get_nowait()
        except Empty:
            return


def _fit_one(forecaster: Forecaster, prepared: Prepared, seed: int) -> Model:
    name = prepared.training.panel.ids[0]
    of_series = f"The model of the series {name!r}: " if name is not None else ""
    try:
        fitted = _alone(forecaster, name)._fit_model(prepared, seed)
    except DivergedError as error:
        raise DivergedError(f"{of_series}{error}", history=error.history, best_state=error.best_state) from error
    if was_interrupted(fitted.stopped):
        raise KeyboardInterrupt
    return fitted.model


def _alone(forecaster: Forecaster, name: Name) -> Forecaster:
    """The forecaster on one thread, with the model of one series where it has been fitted so."""
    worker: Any = copy.copy(forecaster)
    worker.n_jobs, worker.verbose = 1, False
    before = vars(forecaster).get("state_")
    if before is not None and isinstance(before.model.core, LocalModel):
        own = before.model.core.of(name)
        if own is None:
            del worker.state_  # a new series starts afresh
        else:
            worker.state_ = replace(before, model=own)
    return worker


def _by_series(prepared: Prepared, only: int | None = None) -> Iterator[Prepared]:
    """What there is of each series."""
    panel, training = prepared.training.panel, prepared.training.windows
    own_validation = prepared.validation.panel is panel
    held_out = prepared.validation.panel
    places = {name: place for place, name in enumerate(held_out.ids)}
    for place in range(panel.n_series) if only is None else [only]:
        name, start = panel.ids[place], panel.indptr[place]
        windows = _windows_of(training, place, start)
        if not len(windows):
            raise ValueError(
                f'`scope="local"` needs a training window in each series; the series {name!r} has none before the '
                'validation part. Give `validation_by="series"`, which holds out the last part of each, a greater '
                '`min_length`, or `scope="global"`.'
            )
        one = panel.select(np.array([place]))
        other = places.get(name)
        if own_validation or other is None:
            index = (
                prepared.validation.windows if own_validation else WindowIndex(training.series[:0], training.origin[:0])
            )
            validation = Split(one, _windows_of(index, place, start))
        else:
            index = _windows_of(prepared.validation.windows, other, held_out.indptr[other])
            validation = Split(held_out.select(np.array([other])), index)
        yield replace(
            prepared,
            training=Split(one, windows),
            validation=validation,
            scaling=prepared.scaling.only(place),
            train_end=prepared.train_end[[place]] - start,
            weights=_weights_of(prepared, place),
        )


def _windows_of(windows: WindowIndex, place: int, start: int) -> WindowIndex:
    """Those of one series, as rows of that series alone; windows are in order of series."""
    first, last = np.searchsorted(windows.series, (place, place + 1))
    origin = windows.origin[first:last] - start
    return WindowIndex(np.zeros(len(origin), np.int64), origin)


def _weights_of(prepared: Prepared, place: int) -> np.ndarray:
    """Of the rows of one series, with mean one over its training part."""
    if not prepared.weights.size:
        return prepared.weights
    panel = prepared.training.panel
    start, end = panel.indptr[place], panel.indptr[place + 1]
    mean = prepared.weights[start : prepared.train_end[place]].mean(dtype=np.float64)
    if not mean:
        raise ValueError(
            f'`sample_weight` must not be zero in all training rows of a series with `scope="local"`; it is for '
            f"{panel.ids[place]!r}. Give its rows weights, or leave the series out."
        )
    return (prepared.weights[start:end] / mean).astype(np.float32)
