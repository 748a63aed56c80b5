"""Roles of columns, rules for rows, and what reading the training frame found out about its form."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, final

import numpy as np

from tsrnn._errors import Integer, NoneOr, Options, check_parameter
from tsrnn.data.names import Name, decode_name, encode_name
from tsrnn.data.time_axis import TimeAxis

Layout = Literal["wide", "long", "multiindex", "array"]
Backend = Literal["pandas", "polars"]


@final
@dataclass(frozen=True)
class Roles:
    """What the columns are, as the user declares it.

    Attributes
    ----------
    target : name or list of names, optional
        Columns to forecast; every numeric column where it is left out.
    past_covariates : list of names, optional
        Columns that are read but not forecast; every other numeric column where it is left out.
    id_col, time_col : name, optional
        Columns of a long frame that hold the series' name and the stamp.
    freq : str, offset or int, optional
        Distance between rows; inferred where it is left out.
    """

    target: Name | list[Name] | None = None
    past_covariates: Name | list[Name] | None = None
    id_col: Name | None = None
    time_col: Name | None = None
    freq: Any = None


@final
@dataclass(frozen=True)
class RowRules:
    """What to do about rows as they come.

    Attributes
    ----------
    missing : {"raise", "ffill"}
        Refuse missing values, or carry each series' last value forward.
    duplicates : {"raise", "first", "last", "mean"}
        Refuse stamps that come twice in a series, or keep one row for each.
    na_values : number or list of numbers, optional
        Codes that stand for a missing value. `None` looks for usual codes and refuses them; `[]` takes every value
        as it is.
    min_length : int, optional
        Series of fewer rows are left out.
    """

    missing: Literal["raise", "ffill"] = "raise"
    duplicates: Literal["raise", "first", "last", "mean"] = "raise"
    na_values: Any = None
    min_length: int | None = None

    def __post_init__(self) -> None:
        check_parameter("reading a frame", "missing", self.missing, Options("raise", "ffill"))
        check_parameter("reading a frame", "duplicates", self.duplicates, Options("raise", "first", "last", "mean"))
        check_parameter("reading a frame", "min_length", self.min_length, NoneOr(Integer(1)))
        object.__setattr__(self, "na_values", _codes(self.na_values))


def _codes(na_values: Any) -> tuple[float, ...] | None:
    if na_values is None:
        return None
    codes: Any = [na_values] if isinstance(na_values, numbers.Number) else na_values
    if isinstance(codes, (list, tuple, set, frozenset, np.ndarray)):
        codes = list(codes)
        wrong = [code for code in codes if not isinstance(code, numbers.Real) or isinstance(code, bool)]
    else:
        wrong = [codes]
    if wrong:
        raise TypeError(
            f"`na_values` must be a number or a list of numbers, such as [-9999]; got {wrong[0]!r} "
            f"({type(wrong[0]).__name__})."
        )
    return tuple(float(code) for code in codes)


@final
@dataclass(frozen=True)
class Schema:
    """What `fit` learned about the table: enough to read another one like it, and to lay out a forecast.

    Attributes
    ----------
    layout, backend : str
        How the rows are named ("wide", "long", "multiindex" or "array"), and whose frame it was.
    targets, past_covariates : tuple of names
        The channels, in this order.
    axis : TimeAxis
        The grid of stamps that all series share.
    left_out : dict
        Columns that are not read, and why.
    id_name, time_name : name or None
        Names of the column, or of the level of the index, that holds series and stamps.
    time_in_index : bool
        Whether the stamps stand in the frame's index (rather than in a column).
    has_y : bool
        Whether the targets came as `y`.
    dates : bool
        Whether the stamps were calendar dates without a time of day (polars' `Date`).
    spacing : int
        Steps of the grid from row to row; more than 1 where the `freq` that was given is finer than the rows.
    """

    layout: Layout
    backend: Backend
    targets: tuple[Name, ...]
    past_covariates: tuple[Name, ...]
    axis: TimeAxis
    left_out: Mapping[Name, str] = field(default_factory=dict)
    id_name: Name | None = None
    time_name: Name | None = None
    time_in_index: bool = True
    has_y: bool = False
    dates: bool = False
    spacing: int = 1

    @property
    def channels(self) -> tuple[Name, ...]:
        """Names of the panel's columns: the targets, then the past covariates."""
        return self.targets + self.past_covariates

    @property
    def n_columns(self) -> int:
        """How many columns X had, those that are not read included; series and stamps aside."""
        return len(self.past_covariates if self.has_y else self.channels) + len(self.left_out)

    @property
    def is_panel(self) -> bool:
        """Whether the series have names."""
        return self.layout == "multiindex" or (self.layout == "long" and self.id_name is not None)

    @property
    def is_numbered(self) -> bool:
        """Whether the rows came without stamps, so that they are numbered from zero in each table."""
        return self.layout == "array" or (self.backend == "polars" and self.time_name is None)

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as values that JSON can hold."""
        return {
            "layout": self.layout,
            "backend": self.backend,
            "targets": [encode_name(name) for name in self.targets],
            "past_covariates": [encode_name(name) for name in self.past_covariates],
            "axis": self.axis.to_dict(),
            "left_out": [[encode_name(name), reason] for name, reason in self.left_out.items()],
            "id_name": encode_name(self.id_name),
            "time_name": encode_name(self.time_name),
            "time_in_index": self.time_in_index,
            "has_y": self.has_y,
            "dates": self.dates,
            "spacing": self.spacing,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Schema:
        """Make the schema again from `to_dict()`."""
        return cls(
            layout=values["layout"],
            backend=values["backend"],
            targets=tuple(decode_name(name) for name in values["targets"]),
            past_covariates=tuple(decode_name(name) for name in values["past_covariates"]),
            axis=TimeAxis.from_dict(values["axis"]),
            left_out={decode_name(name): reason for name, reason in values["left_out"]},
            id_name=decode_name(values["id_name"]),
            time_name=decode_name(values["time_name"]),
            time_in_index=values["time_in_index"],
            has_y=values["has_y"],
            dates=values["dates"],
            spacing=values.get("spacing", 1),  # files saved earlier do not hold it
        )
