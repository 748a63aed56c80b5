"""Settings of networks that do not go together, refused before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsrnn._networks import check_states
from tsrnn.forecasting.ensemble import members_of
from tsrnn.forecasting.monte_carlo import drops_something
from tsrnn.forecasting.network_model import NetworkModel, described
from tsrnn.forecasting.state import Model
from tsrnn.nn.network import Network

if TYPE_CHECKING:
    from tsrnn.forecasting.networks import NetworkForecaster


def check_head(forecaster: NetworkForecaster) -> None:
    """Refuse settings that do not go with the distribution."""
    if forecaster._distribution_head is not None and not forecaster._strategy.takes_distributions:
        raise ValueError(
            f'`loss={forecaster.loss!r}` needs `strategy="direct"`: with {forecaster.strategy!r} a row is forecast '
            "from the point forecasts of those before it, so their spread would be lost. Set one of the two."
        )
    if forecaster._counts and forecaster.instance_norm is not None:
        raise ValueError(
            f"`loss={forecaster.loss!r}` is of counts, from which `instance_norm={forecaster.instance_norm!r}` would "
            "take the level. Set `instance_norm=None`; counts are divided by the mean of their series in any case."
        )
    if forecaster.quantiles is not None and forecaster.loss != "quantile":
        raise ValueError(f'`quantiles={forecaster.quantiles}` needs `loss="quantile"`; got `loss={forecaster.loss!r}`.')


def check_checkpoint(forecaster: NetworkForecaster) -> None:
    """Refuse a file of one training for several."""
    if forecaster.scope == "local" and forecaster.checkpoint is not None:
        raise ValueError('`checkpoint` holds the training of one model; leave it out with `scope="local"`.')
    if forecaster.n_members > 1 and forecaster.checkpoint is not None:
        raise ValueError(
            f"`checkpoint` holds the training of one network, and `n_members={forecaster.n_members}` trains several "
            "side by side. Leave one of the two out."
        )


def check_draws(forecaster: NetworkForecaster, network: Network) -> None:
    """Refuse to draw masks where there are none."""
    if forecaster.mc_samples is not None and not drops_something(network):
        raise ValueError(
            f"`mc_samples={forecaster.mc_samples}` draws dropout masks anew, but no layer drops anything. Set "
            "`dropout` or `recurrent_dropout` greater than 0 (in `layers=` in the layers themselves), or leave it out."
        )


def check_output(network: Network) -> None:
    """Refuse layers that windows cannot go through to one vector each."""
    if network.has_time:
        raise ValueError(
            "`layers` must end with one vector for each window, but these give one for each step. Set "
            "`return_sequences=False` in the last recurrent layer, or add Flatten()."
        )
    if network.specs[0].reads_tokens:
        raise ValueError(
            f"`layers` begins with {network.specs[0]}, which reads tokens, but a forecaster's columns are scaled "
            "numbers. Leave it out; it is for networks of `tsrnn.nn.Sequential`."
        )
    check_states(network.layers, "a forecaster's windows overlap and come in any order")


def networks_before(forecaster: NetworkForecaster, network: Network, asked_by: str) -> list[NetworkModel] | None:
    """The networks of the last fit, to go on from; None where there is none."""
    if "state_" not in vars(forecaster):
        return None
    members = members_of(forecaster.state_.model.core)
    if len(members) != forecaster.n_members:
        raise ValueError(
            f"{asked_by} needs as many networks as the last `fit` left; got `n_members={forecaster.n_members}`, after "
            f"{len(members)}. Set `n_members={len(members)}`, or `warm_start=False` and `fit` afresh."
        )
    return [_goes_on(forecaster, before, network, asked_by) for before in members]


def _goes_on(forecaster: NetworkForecaster, before: Model, network: Network, asked_by: str) -> NetworkModel:
    """A network of the last fit, if training can go on from it."""
    if not isinstance(before, NetworkModel) or _differs(forecaster, before, network):
        raise ValueError(
            f"{asked_by} needs the layers, windows and number of columns of the last `fit`, and its distribution; "
            f"got {described(network.input, network.specs, forecaster.strategy, forecaster._distribution_head)}, after "
            f"{before}. Make a new forecaster, or set `warm_start=False` and call `fit`, to start afresh."
        )
    return before


def _differs(forecaster: NetworkForecaster, before: NetworkModel, network: Network) -> bool:
    now = network.specs, network.input, forecaster.strategy, forecaster._distribution_head
    return (before.specs, before.shape, before.strategy, before.head) != now
