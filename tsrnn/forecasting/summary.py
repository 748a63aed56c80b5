"""What a fitted forecaster says about itself: text in a terminal, HTML in a notebook."""

from __future__ import annotations

from dataclasses import dataclass

from tsrnn._errors import quoted
from tsrnn.forecasting.state import FitState
from tsrnn.nn.summary import Table


@dataclass(frozen=True)
class ForecasterSummary:
    """Model, roles of columns, windows, skill. ``str()`` of it is the text."""

    name: str
    state: FitState

    @property
    def n_params(self) -> int:
        """Numbers learned."""
        return self.state.model.n_params

    @property
    def tables(self) -> tuple[Table, ...]:
        """The parts, in order."""
        return (*self.state.model.tables(), self._roles(), self._windows(), self._skill())

    def __str__(self) -> str:
        return "\n\n".join([f"{self.name}, {self.n_params:,} parameters", *map(str, self.tables)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<h4>{self.name}</h4>" + "".join(table._repr_html_() for table in self.tables)

    def _roles(self) -> Table:
        schema = self.state.schema
        rows = [
            ("target", quoted(schema.targets, 20)),
            ("past covariates", quoted(schema.past_covariates, 20) or "none"),
        ]
        rows += [("left out", f"{name!r}: {reason}") for name, reason in list(schema.left_out.items())[:20]]
        rows += [("series", f"{self.state.tail.n_series:,}"), ("frequency", schema.axis.label)]
        return Table(("role", "columns"), tuple(rows), "Columns")

    def _windows(self) -> Table:
        shape = self.state.shape
        names = ("lookback", "horizon", "gap", "sampling_rate")
        rows = [(name, str(getattr(shape, name))) for name in names]
        rows.append(("validation from", ", ".join(self.state.cutoff[:3]) or "no validation rows"))
        return Table(("window", "rows"), tuple(rows), "Windows")

    def _skill(self) -> Table:
        if self.state.skill is None:
            return Table(("against", "skill"), (("no validation rows", "unknown"),), "Skill on the validation rows")
        names = {"last": "last value", "seasonal": f"seasonal naive ({self.state.season})"}
        rows = tuple((names[kind], f"{value:.3f}") for kind, value in self.state.skill.items())
        return Table(("against", "skill (1 - MAE / MAE naive)"), rows, "Skill on the validation rows")
