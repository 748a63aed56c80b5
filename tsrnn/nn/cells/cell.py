"""What a recurrent cell is: gates named in order, and two methods with its equations, forward and backward.

The kernels in ``nn/recurrent.py`` read the class constants of a cell and call its methods; Numba resolves both from the
type of the cell, so that every cell (with its activations) has machine code of its own.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from tsrnn._jit import Spec, spec_method
from tsrnn.kernels.simd import OUTER_ROOM, UNIT_ROWS


class _Fields(NamedTuple):
    features: int
    hidden: int
    return_sequences: bool
    go_backwards: bool
    activation: Any
    recurrent_activation: Any


class Cell(Spec, _Fields):
    """Base of all cells.

    A cell names its rows (pre-activations of one unit) in the order in which ``forward`` takes them:

    GATES        rows that ``forward`` gets, e.g. ``"i f g o"``
    INPUT        gates that the input feeds, in the order of the columns of ``kernel`` (default: all)
    RECURRENT    gates that the previous h feeds, in the order of the columns of ``recurrent_kernel`` (default: all);
                 "" for a cell without a recurrent product, which then has no ``recurrent_kernel``
    SECOND       gates of RECURRENT that are fed not by h but by what ``reset`` makes of it
    RECURRENT_BIAS  whether the recurrent product has a bias of its own
    SAVED        rows that ``forward`` hands to ``backward``, named; at least as many as GATES
    GATED        rows of SAVED that are values of ``recurrent_activation``: what is looked at for saturation
    ACTIVATED    likewise those of ``activation``
    CARRIED      state rows of a unit beside the output h, named
    OWN          parameters of a unit beside the matrices (peepholes), named; they come to ``forward`` behind the gates

    Rows are lane vectors; ``state`` is ``(h, *carried)``.

    forward(gates + own, state) -> new state, saved
    backward(saved + own, state, d_state) -> d_gates + d_own, d_previous_state (without the recurrent product)
    reset(gates, fed_h) -> the row that the SECOND gates see instead of h            (only with SECOND)
    d_reset(saved, fed_h, d_row) -> d_gates, d_fed_h; saved begins with d_gates so far  (only with SECOND)

    The gates of each of INPUT, RECURRENT without SECOND, and SECOND must stand next to each other in GATES.
    """

    __slots__ = ()
    GATES: ClassVar[str] = "h"
    INPUT: ClassVar[str] = ""
    RECURRENT: ClassVar[str | None] = None
    SECOND: ClassVar[str] = ""
    RECURRENT_BIAS: ClassVar[bool] = False
    SAVED: ClassVar[str] = ""
    GATED: ClassVar[str] = ""
    ACTIVATED: ClassVar[str] = ""
    CARRIED: ClassVar[str] = ""
    OWN: ClassVar[str] = ""

    # Derived below, for the kernels. With few gates several units go through one contraction, to fill the registers.
    UNITS: ClassVar[int]  # units of a block
    N_GATES: ClassVar[int]
    N_SAVED: ClassVar[int]
    N_CARRIED: ClassVar[int]
    N_OWN: ClassVar[int]
    D_ROWS: ClassVar[int]  # gates and own parameters
    GROUP: ClassVar[int]  # saved rows of a block
    BIAS: ClassVar[int]  # 1 if the recurrent product has a bias
    TWO_STAGES: ClassVar[int]  # 1 if there are SECOND gates

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        gates = cls.GATES.split()
        cls.INPUT = cls.INPUT or cls.GATES
        recurrent = cls.RECURRENT = cls.GATES if cls.RECURRENT is None else cls.RECURRENT
        cls.SAVED = cls.SAVED or cls.GATES
        cls.N_GATES, cls.N_SAVED = len(gates), len(cls.SAVED.split())
        cls.N_CARRIED, cls.N_OWN = len(cls.CARRIED.split()), len(cls.OWN.split())
        cls.D_ROWS = cls.N_GATES + cls.N_OWN
        cls.BIAS = int(cls.RECURRENT_BIAS)
        cls.TWO_STAGES = int(bool(cls.SECOND))
        second = cls.SECOND.split()
        direct = [gate for gate in recurrent.split() if gate not in second]
        sides = {"INPUT": cls.INPUT.split(), "RECURRENT": direct, "SECOND": second}
        widest = max(len(fed) for fed in sides.values())
        cls.UNITS = next(units for units in (4, 2, 1) if widest * units <= UNIT_ROWS or units == 1)
        cls.GROUP = cls.N_SAVED * cls.UNITS
        for side, fed in sides.items():
            cls._derive_range(side, gates, fed)

    @classmethod
    def _derive_range(cls, side: str, gates: list[str], fed: list[str]) -> None:
        """Constants of the rows that one matrix feeds: FIRST, LAST in gates; START, STOP, ROWS in rows of a block."""
        places = sorted(gates.index(gate) for gate in fed)
        first, last = (places[0], places[-1] + 1) if places else (0, 0)
        if last - first != len(fed):
            raise TypeError(f"{cls.__name__}: the gates {fed} must stand next to each other in GATES = {gates}.")
        start, stop = first * cls.UNITS, last * cls.UNITS
        columns = max(2, OUTER_ROOM // (stop - start)) if fed else 2
        values = {"FIRST": first, "LAST": last, "START": start, "STOP": stop, "ROWS": stop - start}
        values |= {"COLUMNS": columns, "HALF": columns // 2}
        for name, value in values.items():
            setattr(cls, f"{side}_{name}", value)


for _name, _count in (("forward", 2), ("backward", 3), ("reset", 2), ("d_reset", 3)):
    spec_method(_name, _count)
