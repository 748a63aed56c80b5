"""Which columns are targets, which covariates, and which are left out, and why."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from tsrnn._errors import did_you_mean, quoted
from tsrnn.data.columns import REMEDIES, Column
from tsrnn.data.names import Name, plain_name

Choice = tuple[tuple[Name, ...], tuple[Name, ...], dict[Name, str]]  # targets, past covariates, left out


def names_of(declared: Any, known: list[Name]) -> tuple[Name, ...]:
    """Read a name or a list of names; a tuple that is itself the name of a column is one name."""
    single = not isinstance(declared, (list, tuple, np.ndarray, pd.Index))
    if single or (isinstance(declared, tuple) and plain_name(declared) in known):
        return (plain_name(declared),)
    return tuple(plain_name(name) for name in declared)


def choose_columns(columns: list[Column], y_names: tuple[Name, ...] | None, target: Any, past: Any) -> Choice:
    """Give each column its role.

    Parameters
    ----------
    columns : list of Column
        Those of `y` first.
    y_names : tuple of names or None
        The columns that came as `y`.
    target, past : name, list of names or None
        The roles as declared.
    """
    names = [column.name for column in columns]
    refuse_doubled(names)
    by_name = {column.name: column for column in columns}
    declared_past = None if past is None else names_of(past, names)
    targets = _targets(columns, y_names, target, declared_past)
    _check_named(targets, by_name, "target")
    if declared_past is None:
        # With neither declared, every numeric column is forecast, and nothing else is read.
        covariates = tuple(c.name for c in columns if c.is_numeric and c.name not in targets)
    else:
        _check_named(declared_past, by_name, "past_covariates")
        both = [name for name in declared_past if name in targets]
        if both:
            raise ValueError(
                f"A column cannot be both target and covariate: {quoted(both)}. The history of a target is read "
                "anyway; take it out of `past_covariates`."
            )
        covariates = declared_past
    left_out = {
        column.name: f"{column.what} column" if not column.is_numeric else "not listed in `past_covariates`"
        for column in columns
        if column.name not in targets and column.name not in covariates
    }
    return targets, covariates, left_out


def refuse_doubled(names: list[Name]) -> None:
    """Refuse a frame in which a name could mean either of two columns."""
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise ValueError(
            f"Columns must have names of their own; {quoted(doubled)} names more than one. Rename or drop them "
            "(`df.loc[:, ~df.columns.duplicated()]` keeps the first of each)."
        )


def _targets(
    columns: list[Column], y_names: tuple[Name, ...] | None, target: Any, past: tuple[Name, ...] | None
) -> tuple[Name, ...]:
    names = [column.name for column in columns]
    if y_names is not None:
        if target is not None and names_of(target, names) != y_names:
            raise ValueError(
                f"`target` is {target!r}, but the target came as `y` ({quoted(y_names)}). Give one of the two: leave "
                "`target` out, or put the target among the columns of X."
            )
        return y_names
    if target is not None:
        targets = names_of(target, names)
        if not targets:
            raise ValueError("`target` is an empty list; name at least one column, or leave it out to forecast all.")
        return targets
    targets = tuple(c.name for c in columns if c.is_numeric and (past is None or c.name not in past))
    if not targets:
        raise ValueError(_nothing_numeric(columns, past))
    return targets


def _nothing_numeric(columns: list[Column], past: tuple[Name, ...] | None) -> str:
    if any(column.is_numeric for column in columns):
        return f"No column is left to forecast: every numeric one is among `past_covariates` ({quoted(past or ())})."
    if not columns:
        return "No numeric column: the frame has no columns besides series and stamps. Add the column to forecast."
    found = ", ".join(f"{column.name!r} ({column.what})" for column in columns[:5])
    more = f" and {len(columns) - 5} more" if len(columns) > 5 else ""
    remedies = "; ".join(dict.fromkeys(f"{c.what}: {REMEDIES[c.what]}" for c in columns))
    return f"No numeric column: a target must hold numbers; got {found}{more}. What to do: {remedies}."


def _check_named(named: tuple[Name, ...], by_name: dict[Name, Column], role: str) -> None:
    missing = [name for name in named if name not in by_name]
    if missing:
        raise ValueError(
            f"`{role}` names columns that the frame does not have: {quoted(missing)}. Its columns are "
            f"{quoted(by_name, limit=10)}.{did_you_mean(missing[0], by_name)}"
        )
    doubled = [name for name, count in Counter(named).items() if count > 1]
    if doubled:
        raise ValueError(f"`{role}` names a column twice: {quoted(doubled)}.")
    for name in named:
        column = by_name[name]
        if not column.is_numeric:
            raise ValueError(
                f"`{role}` must name numeric columns; {name!r} is a {column.what} column. What to do: "
                f"{REMEDIES[column.what]}."
            )
