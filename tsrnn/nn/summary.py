"""Tables of layers for people: text in a terminal, HTML in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from tsrnn.nn.network import Network


@dataclass(frozen=True)
class Table:
    """Rows under a head; the last columns are numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""

    def __str__(self) -> str:
        widths = [max(len(row[i]) for row in (self.head, *self.rows)) for i in range(len(self.head))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (self.head, *self.rows)
        ]
        rule = "-" * max(map(len, lines))
        return "\n".join([*([self.title] if self.title else []), lines[0], rule, *lines[1:]])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.head)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        title = f"<caption>{escape(self.title)}</caption>" if self.title else ""
        return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True)
class NetworkSummary:
    """Layers, output shapes, parameter counts."""

    table: Table
    n_params: int

    @classmethod
    def of(cls, network: Network) -> NetworkSummary:
        """The summary of a network."""
        rows = []
        for (name, parameters), layer in zip(network.layout.layers, network.layers, strict=True):
            count = sum(parameter.size for parameter in parameters)
            rows.append((name, str(layer.spec), str(tuple(layer.output)), f"{count:,}"))
        return cls(Table(("layer", "spec", "output (steps, features)", "parameters"), tuple(rows)), network.layout.size)

    def __str__(self) -> str:
        return f"{self.table}\ntotal parameters: {self.n_params:,}"

    def _repr_html_(self) -> str:
        return f"{self.table._repr_html_()}<p>total parameters: {self.n_params:,}</p>"
