"""Layers that sequences with targets can be given to."""

from __future__ import annotations

from tsrnn.nn.layer import Layer
from tsrnn.nn.layers.flatten import Flatten
from tsrnn.nn.layers.global_pooling import GlobalMaxPool1D
from tsrnn.nn.layers.recurrent import Recurrent
from tsrnn.nn.network import Network

READ_ALL_STEPS = (Flatten, GlobalMaxPool1D)  # whatever a mask says


def check_layers(network: Network, per_step: bool, ragged: bool) -> None:
    """Refuse layers that cannot give what is asked for, or that would mix up sequences."""
    _check_steps(network, per_step)
    for layer in network.layers:
        spec = layer.spec
        if layer.stateful:
            raise ValueError(
                f"`layers` holds {spec}, but sequences are shuffled: no state can go on from one to the next. "
                "Leave `stateful` out; it is for networks of `tsrnn.nn.Sequential`."
            )
        if per_step and isinstance(spec, Recurrent) and spec.go_backwards:
            raise ValueError(
                f"`layers` holds {spec}, which gives its steps from the last to the first, but y is in the order "
                "of X. Leave `go_backwards` out."
            )
    if ragged:
        _check_masks(network)


def check_weights(network: Network, size: int, steps: int) -> None:
    """Refuse sequences of another length where the layers have weights for each step."""
    if network.layout.size != size:
        raise ValueError(
            f"The layers {', '.join(map(str, network.specs))} have weights for sequences of {steps} steps, but the "
            f"longest here has {network.input.steps}. Cut or pad them to that length, or use layers that take any."
        )


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
    """Padding must not be taken for data: the mask has to reach the layer that ends the steps."""
    bound = network.workspace(training=False, masked=True).bound
    for index, (layer, made) in enumerate(zip(network.layers, bound, strict=True)):
        if layer.input.steps > 1 and (isinstance(layer.spec, READ_ALL_STEPS) or _loses_mask(layer, made.mask is None)):
            raise ValueError(
                f"Layer {index}, {layer.spec}, reads all steps alike, but these sequences differ in length, up to "
                f"{network.input.steps} steps, and what shorter ones lack must not count. Give sequences of one "
                "length, or use recurrent layers, which leave out steps that are not there."
            )


def _loses_mask(layer: Layer, no_mask: bool) -> bool:
    return no_mask and layer.output.steps > 1


def _steps(count: int) -> str:
    return "one step" if count == 1 else f"{count} steps"
