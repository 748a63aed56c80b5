"""Exceptions and warnings of the package, constraints on parameters, and the shape of messages.

A message says what was wrong, what was expected, what was got, where, and what to do. A value of a wrong type is a
`TypeError`, a value out of range is a `ValueError`.
"""

from __future__ import annotations

import difflib
import importlib
import math
import numbers
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, final

import numpy as np


@final
class DivergedError(RuntimeError):
    """Training stopped because the loss or the weights were no longer finite.

    Parameters
    ----------
    message : str
        When it diverged, and what to do.
    history : DataFrame or list, optional
        See below.
    best_state : ndarray, optional
        See below.

    Attributes
    ----------
    history : DataFrame or list or None
        The epochs so far: as in ``history_`` where a forecaster raises it, a list of records where the trainer does.
    best_state : ndarray or None
        The best weights up to then, as one flat vector; None before the end of a first epoch.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import tsrnn
    >>> frame = pd.DataFrame({"load": np.arange(200.0)}, index=pd.date_range("2024-01-01", periods=200, freq="h"))
    >>> wild = {"learning_rate": 1e30, "clip_norm": None, "optimizer": "sgd", "loss": "mse"}
    >>> try:
    ...     forecaster = tsrnn.GRUForecaster(lookback=24, horizon=6, random_state=0, **wild).fit(frame)
    ... except tsrnn.DivergedError as error:
    ...     print(str(error).partition(":")[0], len(error.history), error.best_state)
    Training diverged 0 None
    """

    def __init__(self, message: str, *, history: Any = None, best_state: Any = None) -> None:
        super().__init__(message)
        self.history = history
        self.best_state = best_state


@final
class BelowNaiveWarning(UserWarning):
    """A network forecasts its validation rows no better than a naive forecast does.

    Examples
    --------
    >>> import warnings
    >>> import tsrnn
    >>> with warnings.catch_warnings():  # without this line: for the rest of the program
    ...     warnings.filterwarnings("ignore", category=tsrnn.BelowNaiveWarning)
    """


@final
class DataWarning(UserWarning):
    """The data can be used, but something in them is likely to hurt the forecast.

    Examples
    --------
    >>> import warnings
    >>> import tsrnn
    >>> with warnings.catch_warnings():  # a script that must not go on with such data
    ...     warnings.filterwarnings("error", category=tsrnn.DataWarning)
    """


@final
class LeakageWarning(UserWarning):
    """A test may know what it should not: its figures are likely to be better than forecasts will be.

    Examples
    --------
    >>> import warnings
    >>> import tsrnn
    >>> with warnings.catch_warnings():  # a script that must not go on with such a test
    ...     warnings.filterwarnings("error", category=tsrnn.LeakageWarning)
    """


def quoted(names: Iterable[Any], limit: int = 5) -> str:
    """List names for a message: the first `limit` of them, then how many more there are.

    Examples
    --------
    >>> quoted(["temp", "dewp"])
    "'temp', 'dewp'"
    >>> quoted(range(10), limit=3)
    '0, 1, 2 and 7 more'
    """
    # An np.int64 would show as "np.int64(3)", which is not what the user wrote.
    plain = [name.item() if isinstance(name, np.generic) else name for name in names]
    shown = ", ".join(repr(name) for name in plain[:limit])
    return shown if len(plain) <= limit else f"{shown} and {len(plain) - limit} more"


def did_you_mean(name: Any, choices: Iterable[Any], limit: int = 3) -> str:
    """Hint at the choices that look like `name`: a sentence with a leading blank, or nothing.

    Examples
    --------
    >>> "No column 'tmp'." + did_you_mean("tmp", ["temp", "pressure"])
    "No column 'tmp'. Did you mean 'temp'?"
    """
    if not isinstance(name, str):
        return ""
    texts = {choice.casefold(): choice for choice in choices if isinstance(choice, str)}
    close = [texts[match] for match in difflib.get_close_matches(name.casefold(), list(texts), n=limit)]
    return f" Did you mean {' or '.join(repr(match) for match in close)}?" if close else ""


class Constraint(ABC):
    """What a parameter may be; `str()` of it completes the sentence "the parameter must be ..."."""

    @abstractmethod
    def accepts_type(self, value: Any) -> bool:
        """Whether the value has a fitting type, be it in range or not."""

    @abstractmethod
    def accepts(self, value: Any) -> bool:
        """Whether the value may be used."""

    def plain(self, value: Any) -> Any:
        """Give an accepted value as Python's own type: NumPy's integers overflow, and compile kernels a second time."""
        return value

    def choices(self) -> tuple[Any, ...]:
        """Return the named values among those accepted, for hints at a misspelt one."""
        return ()

    @abstractmethod
    def __str__(self) -> str:
        """Say what is expected."""


@final
@dataclass(frozen=True)
class Integer(Constraint):
    """A Python or NumPy integer, both ends included; a bool is not an integer."""

    low: int | None = None
    high: int | None = None

    def accepts_type(self, value: Any) -> bool:
        return isinstance(value, numbers.Integral) and not isinstance(value, bool)

    def accepts(self, value: Any) -> bool:
        above = self.low is None or value >= self.low if self.accepts_type(value) else False
        return above and (self.high is None or value <= self.high)

    def plain(self, value: Any) -> int:
        return int(value)

    def __str__(self) -> str:
        if self.low is not None and self.high is not None:
            return f"an integer from {self.low} to {self.high}"
        if self.low is not None:
            return f"an integer of at least {self.low}"
        return "an integer" if self.high is None else f"an integer of at most {self.high}"


@final
@dataclass(frozen=True)
class Real(Constraint):
    """A finite Python or NumPy number; `closed` says which ends belong to the range. A bool is not a number."""

    low: float | None = None
    high: float | None = None
    closed: Literal["both", "left", "right", "neither"] = "both"

    def accepts_type(self, value: Any) -> bool:
        return isinstance(value, numbers.Real) and not isinstance(value, bool)

    def accepts(self, value: Any) -> bool:
        # Not math.isfinite, which overflows on integers that no float can hold.
        if not self.accepts_type(value) or not -math.inf < value < math.inf:
            return False
        if self.low is not None and (value < self.low or (value == self.low and not self._has_low)):
            return False
        return self.high is None or value < self.high or (value == self.high and self._has_high)

    def plain(self, value: Any) -> float:
        return float(value)

    @property
    def _has_low(self) -> bool:
        return self.closed in ("both", "left")

    @property
    def _has_high(self) -> bool:
        return self.closed in ("both", "right")

    def __str__(self) -> str:
        if self.low is not None and self.high is not None:
            return f"a number in {'[' if self._has_low else '('}{self.low}, {self.high}{']' if self._has_high else ')'}"
        if self.low is not None:
            return f"a finite number {'of at least' if self._has_low else 'greater than'} {self.low}"
        if self.high is not None:
            return f"a finite number {'of at most' if self._has_high else 'less than'} {self.high}"
        return "a finite number"


@final
@dataclass(frozen=True, init=False)
class Options(Constraint):
    """One of a few named values."""

    values: Collection[Any]

    def __init__(self, *values: Any) -> None:
        object.__setattr__(self, "values", values)

    @classmethod
    def of(cls, registry: Mapping[str, Any]) -> Options:
        """The names in a registry, as it is whenever a value is checked: users add to it."""
        options = cls()
        object.__setattr__(options, "values", registry)
        return options

    def accepts_type(self, value: Any) -> bool:
        return any(isinstance(value, type(option)) for option in self.values)

    def accepts(self, value: Any) -> bool:
        # A grid made with NumPy holds NumPy strings. The type first: an array compares elementwise, and True == 1.
        plain = value.item() if isinstance(value, np.generic) else value
        return any(type(option) is type(plain) and option == plain for option in self.values)

    def plain(self, value: Any) -> Any:
        return value.item() if isinstance(value, np.generic) else value

    def choices(self) -> tuple[Any, ...]:
        return tuple(self.values)

    def __str__(self) -> str:
        return _alternatives([repr(option) for option in self.values])


@final
@dataclass(frozen=True)
class Instance(Constraint):
    """An instance of a type (or of one of several); `label` names it in messages, such as "a fitted scaler"."""

    type: type | tuple[type, ...]
    label: str

    def accepts_type(self, value: Any) -> bool:
        return isinstance(value, self.type)

    def accepts(self, value: Any) -> bool:
        return self.accepts_type(value)

    def __str__(self) -> str:
        return self.label


@final
@dataclass(frozen=True)
class Boolean(Constraint):
    """True or False, of Python or NumPy."""

    def accepts_type(self, value: Any) -> bool:
        return isinstance(value, bool | np.bool_)

    def accepts(self, value: Any) -> bool:
        return self.accepts_type(value)

    def plain(self, value: Any) -> bool:
        return bool(value)

    def __str__(self) -> str:
        return "True or False"


@final
@dataclass(frozen=True)
class NoneOr(Constraint):
    """None, or what another constraint accepts."""

    constraint: Constraint

    def accepts_type(self, value: Any) -> bool:
        return value is None or self.constraint.accepts_type(value)

    def accepts(self, value: Any) -> bool:
        return value is None or self.constraint.accepts(value)

    def plain(self, value: Any) -> Any:
        return None if value is None else self.constraint.plain(value)

    def choices(self) -> tuple[Any, ...]:
        return self.constraint.choices()

    def __str__(self) -> str:
        return f"{self.constraint}, or None"


@final
@dataclass(frozen=True, init=False)
class AnyOf(Constraint):
    """What at least one of several constraints accepts."""

    constraints: tuple[Constraint, ...]

    def __init__(self, *constraints: Constraint) -> None:
        object.__setattr__(self, "constraints", constraints)

    def accepts_type(self, value: Any) -> bool:
        return any(constraint.accepts_type(value) for constraint in self.constraints)

    def accepts(self, value: Any) -> bool:
        return any(constraint.accepts(value) for constraint in self.constraints)

    def plain(self, value: Any) -> Any:
        return next(constraint for constraint in self.constraints if constraint.accepts(value)).plain(value)

    def choices(self) -> tuple[Any, ...]:
        return tuple(choice for constraint in self.constraints for choice in constraint.choices())

    def __str__(self) -> str:
        return ", or ".join(str(constraint) for constraint in self.constraints)


@final
@dataclass(frozen=True)
class ListOf(Constraint):
    """A list or tuple, each of whose items another constraint accepts."""

    constraint: Constraint
    min_length: int = 1

    def accepts_type(self, value: Any) -> bool:
        return isinstance(value, list | tuple) and all(self.constraint.accepts_type(item) for item in value)

    def accepts(self, value: Any) -> bool:
        return (
            isinstance(value, list | tuple)
            and len(value) >= self.min_length
            and all(self.constraint.accepts(item) for item in value)
        )

    def plain(self, value: Any) -> list[Any]:
        return [self.constraint.plain(item) for item in value]

    def __str__(self) -> str:
        length = {0: "", 1: " of one or more items"}.get(self.min_length, f" of at least {self.min_length} items")
        return f"a list{length}, each {self.constraint}"


def check_parameter(owner: str, name: str, value: Any, constraint: Constraint) -> None:
    """Refuse a value that a parameter may not take.

    Parameters
    ----------
    owner : str
        The class or function that has the parameter.
    name : str
        The name of the parameter.
    value : object
        What the user gave.
    constraint : Constraint
        What the parameter may be.

    Raises
    ------
    TypeError
        If the value has a wrong type for every alternative of the constraint.
    ValueError
        If the type fits and the value does not.

    Examples
    --------
    >>> check_parameter("GRUForecaster", "hidden_size", 0, Integer(1))
    Traceback (most recent call last):
    ValueError: `hidden_size` of GRUForecaster must be an integer of at least 1; got 0.
    """
    if constraint.accepts(value):
        return
    message = f"`{name}` of {owner} must be {constraint}; got {_shown(value)}"
    if not constraint.accepts_type(value):
        raise TypeError(f"{message} (of type {type(value).__name__}).")
    raise ValueError(f"{message}.{did_you_mean(value, constraint.choices())}")


def check_fields(owner: Any, constraints: Mapping[str, Constraint], label: str | None = None) -> None:
    """Refuse values that the fields of a frozen dataclass may not take, and store the others as Python's own types.

    Parameters
    ----------
    owner : dataclass instance
        In its ``__post_init__``.
    constraints : mapping of str to Constraint
        What each field may be.
    label : str, optional
        What messages call the owner; its class otherwise.
    """
    for name, constraint in constraints.items():
        value = getattr(owner, name)
        check_parameter(label or type(owner).__name__, name, value, constraint)
        object.__setattr__(owner, name, constraint.plain(value))


def check_import(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional module, or say how to install it.

    Parameters
    ----------
    module : str
        The module's full name.
    extra : str
        The extra of this package that brings it.
    purpose : str
        What needs it, as the start of a sentence: "Reading polars frames".

    Raises
    ------
    ImportError
        If the module's package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A module missing inside an installed package is that package's defect: its own error says more than the hint.
        package = module.partition(".")[0]
        if error.name != package:
            raise
        raise ImportError(
            f'{purpose} needs `{package}`, which is not installed. Install it with: pip install "tsrnn[{extra}]"',
            name=package,
        ) from error


_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80


def _alternatives(texts: list[str]) -> str:
    return " or ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _shown(value: Any) -> str:
    """Show a value in one short line: a frame passed by mistake must not fill the screen."""
    text = _short.repr(value.item() if isinstance(value, np.generic) else value)
    return f"a {type(value).__name__}" if "\n" in text else text
