"""Layers that sequences with targets can be given to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tsrnn._networks import check_states
from tsrnn.nn.layer import LayerSpec
from tsrnn.nn.layers.activity import ActivityPenalty
from tsrnn.nn.layers.attention import Attention
from tsrnn.nn.layers.bidirectional import Bidirectional
from tsrnn.nn.layers.dense import Dense
from tsrnn.nn.layers.dilated import Dilated
from tsrnn.nn.layers.dropout import Dropout
from tsrnn.nn.layers.embedding import Embedding
from tsrnn.nn.layers.global_pooling import GlobalAveragePool1D
from tsrnn.nn.layers.layer_norm import LayerNorm
from tsrnn.nn.layers.recurrent import Recurrent
from tsrnn.nn.layers.residual import Residual
from tsrnn.nn.network import Network

STEP_BY_STEP = (ActivityPenalty, Dense, Dropout, Embedding, LayerNorm)
GO_BY_MASKS = (Attention, Bidirectional, GlobalAveragePool1D, Recurrent)  # all others read all steps alike


def check_layers(network: Network, per_step: bool, ragged: bool) -> None:
    """Refuse layers that cannot give what is asked for, or that would mix up sequences."""
    _check_steps(network, per_step)
    check_states(network.layers, "sequences are shuffled")
    for layer in network.layers:
        spec = layer.spec
        inner = _innermost(spec)
        if per_step and isinstance(inner, Recurrent) and inner.go_backwards:
            raise ValueError(
                f"`layers` holds {spec}, which gives its steps from the last to the first, but y is in the order "
                "of X. Leave `go_backwards` out."
            )
    if ragged or have_padding(network.specs):
        _check_masks(network)


def have_padding(specs: Sequence[LayerSpec] | None) -> bool:
    """Whether token 0 is no step for these layers, if any."""
    return specs is not None and isinstance(specs[0], Embedding) and specs[0].mask_zero


def check_weights(network: Network, size: int, steps: int) -> None:
    """Refuse sequences of another length where the layers have weights for each step."""
    if network.layout.size != size:
        raise ValueError(
            f"The layers {', '.join(map(str, network.specs))} have weights for sequences of {steps} steps, but the "
            f"longest here has {network.input.steps}. Cut or pad them to that length, or use layers that take any."
        )


def least_steps(specs: Sequence[LayerSpec]) -> int:
    """Steps that shorter sequences are filled up to, masked: a dilated layer has to have as many as it skips.

    So a short sequence gives the same by itself as beside a long one, where it is filled up anyhow.
    """
    least = 1
    for spec in specs:
        if not _goes_by_mask(spec):
            break
        while isinstance(spec, Residual | Dilated):
            least = max(least, spec.dilation if isinstance(spec, Dilated) else 1)
            spec = spec.wrapped
    return least


def _check_steps(network: Network, per_step: bool) -> None:
    wanted = network.input.steps if per_step else 1
    if network.output.steps == wanted:
        return
    advice = (
        "`return_sequences=True` needs layers that keep all steps: set `return_sequences=True` in each of them"
        if per_step
        else "Set `return_sequences=False` in the last recurrent layer, or flatten the steps"
    )
    raise ValueError(
        f"`layers` must give {_steps(wanted)} for sequences of {_steps(network.input.steps)}; they give "
        f"{_steps(network.output.steps)}. {advice}."
    )


def _check_masks(network: Network) -> None:
    """Padding must not be taken for data: each layer, up to the one that ends the steps, has to go by the mask."""
    for index, layer in enumerate(network.layers):
        if layer.input.steps == 1:
            return
        if not _goes_by_mask(layer.spec):
            raise ValueError(
                f"Layer {index}, {layer.spec}, reads all steps alike, but these sequences differ in length, up to "
                f"{network.input.steps} steps, and what shorter ones lack must not count. Give sequences of one "
                "length, or use recurrent layers, which leave out steps that are not there."
            )
        if not layer.keeps_time:
            return


def _goes_by_mask(spec: LayerSpec) -> bool:
    inner = _innermost(spec)
    whole = isinstance(spec, Dilated) and not inner.return_sequences  # it gives the end of one of its parts
    return isinstance(inner, STEP_BY_STEP + GO_BY_MASKS) and not whole


def _innermost(spec: Any) -> Any:
    """The layer within those that only change what it reads or gives."""
    while isinstance(spec, Residual | Dilated):
        spec = spec.wrapped
    return spec


def _steps(count: int) -> str:
    return "one step" if count == 1 else f"{count} steps"
