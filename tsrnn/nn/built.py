"""A network with parameters, on arrays (batch, steps, features): what ``Sequential([...]).build(...)`` makes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from tsrnn._errors import Boolean, NoneOr, check_parameter
from tsrnn.nn.arguments import States, checked_array, checked_inputs, checked_states
from tsrnn.nn.batch import Batch
from tsrnn.nn.carried import CarriedStates
from tsrnn.nn.carried import States as Rows
from tsrnn.nn.network import Network
from tsrnn.nn.one_sequence import OneSequence
from tsrnn.nn.penalties import Penalties
from tsrnn.nn.summary import NetworkSummary

_BOOLEAN = Boolean()


class BuiltNetwork:
    """A network with parameters. Weights are in Keras' order and shapes; arrays are (batch, steps, features).

    Made by ``Sequential.build``. ``net(x)`` predicts; ``net.forward(x, training=True)`` then ``net.backward(d_y)``
    differentiates.

    Parameters
    ----------
    network : Network
        The layers on the shape of their inputs.
    random_state : int
        Seed of the first weights and of the dropout masks.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import GRU, Dense, Sequential
    >>> net = Sequential([GRU(4), Dense(1)]).build(input_shape=(10, 2))
    >>> x, target = np.ones((5, 10, 2), np.float32), np.zeros((5, 1), np.float32)
    >>> y = net.forward(x, training=True)
    >>> net.backward(2 * (y - target) / y.size).shape  # of the mean squared error
    (5, 10, 2)
    >>> [gradient.shape for gradient in net.grads()]
    [(2, 12), (4, 12), (2, 12), (4, 1), (1,)]
    """

    def __init__(self, network: Network, random_state: int) -> None:
        self.network = network
        self.seed = random_state
        self._theta = network.initial(random_state)
        self._penalties = Penalties(network.layout)
        self.gradient = np.zeros_like(self._theta)
        self.d_initial_state: States = []
        self.training_steps = 0  # counts calls with training=True: each draws its dropout masks anew
        self._taped: Batch | None = None  # of the last one of them, until ``backward``
        self._given: set[int] = set()  # layers that were given a first state
        self._returned: set[int] = set()  # layers whose last states were asked for
        self._carried = CarriedStates(network.layers)
        self._one = OneSequence(network, self._carried)
        self._version = 0  # of the parameters

    @property
    def theta(self) -> np.ndarray:
        """All parameters in one vector, to be read; assign a vector, or use ``set_weights``, to change them.

        It cannot be written into (``net.theta += d`` raises): kernels read copies, which assignment renews.
        """
        view = self._theta.view()
        view.flags.writeable = False
        return view

    @property
    def penalty(self) -> float:
        """What the L1 and L2 penalties of the layers add to the loss.

        Those on weights (``kernel_l2`` and its like) at these weights; ``ActivityPenalty`` for the batch of the last
        ``forward(training=True)``, until ``backward``.
        """
        of_batch = 0.0 if self._taped is None else self._taped.penalty()
        return self._penalties.value(self._theta) + of_batch

    @theta.setter
    def theta(self, values: np.ndarray) -> None:
        array = np.asarray(values)
        if array.shape != self._theta.shape:
            raise ValueError(f"`theta` must have the shape {self._theta.shape}; got {array.shape}.")
        self._theta[:] = array
        self._version += 1

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle holds: not the arrays of kernels, which would no longer be views of one another."""
        own = {name: getattr(self, name) for name in ("seed", "_theta", "gradient", "training_steps")}
        made_of = self.network.specs, self.network.input, self.network.dtype
        carried = self._carried.batch, self._carried.current()
        return copy.deepcopy({"network": made_of, "carried": carried, "own": own})

    def __setstate__(self, state: dict[str, Any]) -> None:
        BuiltNetwork.__init__(self, Network(*state["network"]), state["own"]["seed"])
        vars(self).update(state["own"])
        self._carried.batch, self._carried.states = state["carried"]

    @overload
    def __call__(
        self,
        x: np.ndarray,
        mask: np.ndarray | None = ...,
        initial_state: States | None = ...,
        *,
        return_state: None = ...,
    ) -> Any: ...

    @overload
    def __call__(
        self,
        x: np.ndarray,
        mask: np.ndarray | None = ...,
        initial_state: States | None = ...,
        *,
        return_state: Literal[False],
    ) -> np.ndarray: ...

    @overload
    def __call__(
        self,
        x: np.ndarray,
        mask: np.ndarray | None = ...,
        initial_state: States | None = ...,
        *,
        return_state: Literal[True],
    ) -> tuple[np.ndarray, States]: ...

    def __call__(
        self,
        x: np.ndarray,
        mask: np.ndarray | None = None,
        initial_state: States | None = None,
        *,
        return_state: bool | None = None,
    ) -> Any:
        """Predict: ``forward`` without dropout."""
        return self._forward(x, False, mask, initial_state, return_state)

    @overload
    def forward(
        self,
        x: np.ndarray,
        *,
        training: bool = ...,
        mask: np.ndarray | None = ...,
        initial_state: States | None = ...,
        return_state: None = ...,
    ) -> Any: ...

    @overload
    def forward(
        self,
        x: np.ndarray,
        *,
        training: bool = ...,
        mask: np.ndarray | None = ...,
        initial_state: States | None = ...,
        return_state: Literal[False],
    ) -> np.ndarray: ...

    @overload
    def forward(
        self,
        x: np.ndarray,
        *,
        training: bool = ...,
        mask: np.ndarray | None = ...,
        initial_state: States | None = ...,
        return_state: Literal[True],
    ) -> tuple[np.ndarray, States]: ...

    def forward(
        self,
        x: np.ndarray,
        *,
        training: bool = False,
        mask: np.ndarray | None = None,
        initial_state: States | None = None,
        return_state: bool | None = None,
    ) -> Any:
        """Outputs for a batch.

        Parameters
        ----------
        x : ndarray of shape (batch, steps, features)
            The inputs.
        training : bool, default=False
            Drop units, and keep what ``backward`` needs.
        mask : ndarray of bool of shape (batch, steps), optional
            False where a step does not count, whatever x holds there, also NaN: the recurrent layers keep their state.
        initial_state : list, optional
            For each layer None or its first state: ``(h,)`` or ``(h, c)``, each of shape (batch, hidden). Default: 0.
        return_state : bool, optional
            Give the last states as well, in the form of ``initial_state``: True of all recurrent layers, False of none.
            Default: of those that say so themselves, such as ``GRU(32, return_state=True)``.

        Returns
        -------
        ndarray
            Of shape (batch, features) where the last layer gives one step, else (batch, steps, features). Where states
            are to be given, a pair of this and the list of states, with None for the other layers.
        """
        return self._forward(x, training, mask, initial_state, return_state)

    def _forward(
        self,
        x: np.ndarray,
        training: bool,
        mask: np.ndarray | None,
        initial_state: States | None,
        return_state: bool | None,
    ) -> np.ndarray | tuple[np.ndarray, States]:
        check_parameter("forward", "training", training, _BOOLEAN)
        check_parameter("forward", "return_state", return_state, NoneOr(_BOOLEAN))
        x, marks, given = self._checked(x, mask, initial_state)
        self._taped, returning = None, self._returning(return_state)
        if len(x) == 1 and not training:
            first = None if marks is None else marks[0]
            y, ended = self._one.predict(self._theta, self._version, x[0], first, given, returning or ())
            return y if returning is None else (y, ended)
        batch = self._run(x, marks, given, training=training, d_states=returning is not None)
        self._one.give_back(self._carried.keep(batch.tiles, batch.size))
        if training:
            self._taped, self._given, self._returned = batch, set(given), returning or set()
            self.training_steps += 1
        return batch.outputs() if returning is None else (batch.outputs(), batch.last_states(returning))

    def _returning(self, asked: bool | None) -> set[int] | None:
        """The layers whose last states are to be given; None where not even a list of them is."""
        layers = self.network.layers
        own = {i for i, layer in enumerate(layers) if layer.state_rows and (asked or layer.returns_state)}
        return own if asked or (asked is None and own) else None

    def attention_weights(
        self, x: np.ndarray, mask: np.ndarray | None = None, initial_state: States | None = None
    ) -> dict[str, np.ndarray]:
        """How much each step counts in a prediction: of each `Attention` layer, by its name in ``summary()``, weights.

        They are of shape (batch, steps) and add up to 1, but for sequences of which no step counts. The arguments are
        those of a call of the network; what stateful layers carry is left as it is.
        """
        found = self._run(*self._checked(x, mask, initial_state)).attention()
        if not found:
            specs = ", ".join(str(layer.spec) for layer in self.network.layers)
            raise ValueError(f"`attention_weights` needs a network with an Attention layer; got {specs}.")
        return found

    def _checked(self, x: Any, mask: Any, initial_state: States | None) -> tuple[np.ndarray, np.ndarray | None, Rows]:
        """What a call of the network was given."""
        x, marks = checked_inputs(x, mask, self.network)
        given = checked_states(initial_state, len(x), "initial_state", self.network)
        self._carried.check(len(x))
        return x, marks, given

    def _run(self, x: np.ndarray, marks: np.ndarray | None, given: Rows, **setting: bool) -> Batch:
        """Tiles after their way up; the states of stateful layers are read, and not changed."""
        self.network.pack(self._theta)
        states = self._carried.current() | given
        return Batch(self.network, x, marks, states, step=self.training_steps, seed=self.seed, **setting)

    def reset_states(self) -> None:
        """Let stateful layers start from zero again: the next batch holds other sequences."""
        self._one.give_back(self._carried.reset())

    def backward(self, d_y: np.ndarray, d_state: States | None = None) -> np.ndarray:
        """Gradient of the input, given that of the output of the last ``forward(training=True)``.

        ``d_state`` are the gradients of the states that ``forward`` gave, in the same form; default: 0.
        Afterwards ``grads()`` holds those of the weights, ``d_initial_state`` those of the initial states (where they
        were given). The penalties of the layers count as part of the loss: ``grads()`` includes the gradient of
        ``net.penalty``, whatever ``d_y`` is.
        """
        network, batch = self.network, self._taped
        if batch is None:
            raise RuntimeError(
                "`backward` needs the tape of a call of `forward(x, training=True)` just before; there is none."
            )
        expected = (batch.size, *network.output) if network.has_time else (batch.size, network.output.features)
        d_y = checked_array(d_y, "d_y", expected, network.dtype).reshape(batch.size, *network.output)
        d_states = checked_states(d_state, batch.size, "d_state", network)
        if not set(d_states) <= self._returned:
            raise ValueError("`d_state` needs a call of `forward(x, training=True, return_state=True)` just before.")
        d_x = batch.backward(d_y, d_states)
        batch.write_gradient(self.gradient)
        self._penalties.add_gradient(self._theta, self.gradient)
        self.d_initial_state = batch.d_initial_states(self._given)
        self._taped = None  # its tape is overwritten
        return d_x

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, in Keras' order and shapes."""
        return [array.copy() for array in self.network.layout.named(self._theta).values()]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Set all weights, given in Keras' order and shapes."""
        named = self.network.layout.named(self._theta)
        if len(weights) != len(named):
            raise ValueError(f"`weights` must hold {len(named)} arrays ({', '.join(named)}); got {len(weights)}.")
        arrays = [np.asarray(array).astype(self._theta.dtype) for array in weights]
        for (name, place), array in zip(named.items(), arrays, strict=True):
            if array.shape != place.shape:
                raise ValueError(f"`weights`: '{name}' must have the shape {place.shape}; got {array.shape}.")
        for place, array in zip(named.values(), arrays, strict=True):
            place[...] = array
        self._version += 1

    def grads(self) -> list[np.ndarray]:
        """Gradients of all weights after ``backward``, in the order and shapes of ``get_weights``."""
        return [array.copy() for array in self.network.layout.named(self.gradient).values()]

    def summary(self) -> NetworkSummary:
        """A table of the layers, their output shapes and parameter counts."""
        return NetworkSummary.of(self.network)

    def count_params(self) -> int:
        """Number of parameters."""
        return self._theta.size
