"""Constructor parameters, declared once: the declaration makes the signature, the validation and the documentation.

    class Windows(Parameters):
        lookback: int = param(default=24, constraint=Integer(1), doc="Points of history that a forecast reads.")

A class collects the declarations of its bases; ``fixed`` takes a parameter away and sets it for good. The constructor
takes keywords only and stores what it is given: values are checked by ``check_parameters``, when they are used.
"""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import dataclass
from typing import Any, ClassVar, dataclass_transform

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from tsrnn._errors import Constraint, check_parameter, did_you_mean


@dataclass(frozen=True)
class Parameter:
    """A declaration: default, what is accepted, and a sentence or two for the documentation."""

    default: Any
    constraint: Constraint
    doc: str


@dataclass(frozen=True)
class _Fixed:
    value: Any


def param(*, default: Any, constraint: Constraint, doc: str) -> Any:
    """Declare a parameter in the body of a class. Type checkers look for the keyword ``default``."""
    return Parameter(default, constraint, doc)


def fixed(value: Any) -> Any:
    """Set an inherited parameter for good: it leaves the constructor."""
    return _Fixed(value)


@dataclass_transform(kw_only_default=True, field_specifiers=(param,))
class Parameters(BaseEstimator):
    """Base of classes that declare constructor parameters; scikit-learn's ``get_params`` and ``clone`` work on them."""

    PARAMETERS: ClassVar[dict[str, Parameter]] = {}
    ATTRIBUTES: ClassVar[str] = ""  # the section of docstrings on what `fit` learns; classes inherit it

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__init__" in vars(cls):
            raise TypeError(f"{cls.__name__} must not define `__init__`: declare its parameters with `param(...)`.")
        collected: dict[str, Parameter] = {}
        for base in cls.__bases__:
            collected |= getattr(base, "PARAMETERS", {})
        declared = {name: value for name, value in vars(cls).items() if isinstance(value, Parameter)}
        for name in declared:
            delattr(cls, name)
        cls.PARAMETERS = collected | declared
        for name, value in list(vars(cls).items()):
            if isinstance(value, _Fixed):
                del cls.PARAMETERS[name]
                setattr(cls, name, value.value)
        cls.__init__ = _constructor(cls)  # type: ignore[method-assign]
        cls.__doc__ = _documented(cls)

    def check_parameters(self) -> None:
        """Refuse values that a parameter may not take."""
        for name, declared in self.PARAMETERS.items():
            check_parameter(type(self).__name__, name, getattr(self, name), declared.constraint)


def seed_of(random_state: Any) -> int:
    """The seed that a ``random_state`` stands for; a RandomState gives another one each time."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def _constructor(cls: type[Parameters]) -> Any:
    names = cls.PARAMETERS

    def initialise(self: Any, **given: Any) -> None:
        for name in given:
            if name not in names:
                hint = did_you_mean(name, names) or f" `help({cls.__name__})` lists those that it has."
                raise TypeError(f"{cls.__name__} has no parameter {name!r}.{hint}")
        for name, declared in names.items():
            setattr(self, name, given.get(name, declared.default))

    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    kinds = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=p.default) for n, p in names.items()]
    initialise.__signature__ = inspect.Signature([own, *kinds])  # type: ignore[attr-defined]
    initialise.__name__, initialise.__qualname__ = "__init__", f"{cls.__qualname__}.__init__"
    return initialise


def _documented(cls: type[Parameters]) -> str | None:
    """The docstring with its lines ``{parameters}`` and ``{attributes}`` replaced by numpydoc sections."""
    doc = cls.__dict__.get("__doc__")
    if not doc:
        return doc
    lines = ["Parameters", "----------"]
    for name, declared in cls.PARAMETERS.items():
        lines.append(f"{name} : {declared.constraint}, default={declared.default!r}")
        lines += textwrap.wrap(declared.doc, 112, initial_indent="    ", subsequent_indent="    ")
    text = inspect.cleandoc(doc).replace("{parameters}", "\n".join(lines))
    return text.replace("{attributes}", inspect.cleandoc(cls.ATTRIBUTES))
