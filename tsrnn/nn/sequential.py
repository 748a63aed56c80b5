"""Layers for those who build their own network: ``Sequential([...]).build(...)`` on arrays (batch, steps, features)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from tsrnn._errors import Boolean, Instance, Integer, ListOf, check_parameter
from tsrnn.kernels.simd import LANES
from tsrnn.kernels.turn import TERMS, WINDOWS
from tsrnn.nn.carried import CarriedStates, last_states
from tsrnn.nn.carried import States as Rows
from tsrnn.nn.layer import LayerSpec, Shape, fill_tile, read_tile
from tsrnn.nn.layers.activity import activity_penalty
from tsrnn.nn.network import Network, in_order
from tsrnn.nn.penalties import Penalties
from tsrnn.nn.single_workspace import SingleWorkspace
from tsrnn.nn.summary import NetworkSummary
from tsrnn.nn.workspace import Workspace

State = tuple[np.ndarray, ...]
States = list[State | None]  # an entry for each layer
_BOOLEAN = Boolean()


class Sequential:
    """A list of layers, each fed by the one before.

    Parameters
    ----------
    layers : list of layer specs
        From the input up.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.nn import GRU, Dense, Sequential
    >>> net = Sequential([GRU(32, return_sequences=True), GRU(32), Dense(1)]).build((120, 14), random_state=0)
    >>> net(np.zeros((5, 120, 14), np.float32)).shape
    (5, 1)
    >>> net.count_params()
    10977
    """

    def __init__(self, layers: Sequence[LayerSpec]) -> None:
        check_parameter("Sequential", "layers", layers, ListOf(Instance(LayerSpec, "a layer such as GRU(32)")))
        self.layers = tuple(layers)

    def build(
        self, input_shape: tuple[int, int], random_state: int = 0, dtype: np.dtype | type = np.float32
    ) -> BuiltNetwork:
        """The network on inputs of ``(steps, features)``, with first values drawn from ``random_state``."""
        if not isinstance(input_shape, tuple | list) or len(input_shape) != 2:
            raise ValueError(f"`input_shape` must be (steps, features), e.g. (120, 14); got {input_shape!r}.")
        for name, value in zip(("steps", "features"), input_shape, strict=True):
            check_parameter("Sequential.build", f"input_shape ({name})", value, Integer(1))
        check_parameter("Sequential.build", "random_state", random_state, Integer(0))
        return BuiltNetwork(Network(self.layers, Shape(*input_shape), dtype), random_state)


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
        self._tiles: list[Workspace] = []
        self.training_steps = 0  # counts calls with training=True: each draws its dropout masks anew
        self._batch = 0
        self._given: set[int] = set()  # layers that were given a first state
        self._returned = False  # whether the last states were asked for
        self._carried = CarriedStates(network.layers)
        self._idle: list[SingleWorkspace] = []  # for batches of one; as many as there were threads at once
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
        losses = np.zeros(len(self._tiles))
        for space in self._tiles:
            for part in space.penalised:
                activity_penalty(part, space.turn, losses)
        return self._penalties.value(self._theta) + float(losses.sum()) / max(1, self._batch)

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
        self, x: np.ndarray, mask: np.ndarray | None = ..., initial_state: States | None = ...
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
        return_state: bool = False,
    ) -> np.ndarray | tuple[np.ndarray, States]:
        """Predict: ``forward`` without dropout."""
        if return_state:
            return self.forward(x, mask=mask, initial_state=initial_state, return_state=True)
        return self.forward(x, mask=mask, initial_state=initial_state)

    @overload
    def forward(
        self,
        x: np.ndarray,
        *,
        training: bool = ...,
        mask: np.ndarray | None = ...,
        initial_state: States | None = ...,
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
        return_state: bool = False,
    ) -> np.ndarray | tuple[np.ndarray, States]:
        """Outputs for a batch.

        Parameters
        ----------
        x : ndarray of shape (batch, steps, features)
            The inputs.
        training : bool, default=False
            Drop units, and keep what ``backward`` needs.
        mask : ndarray of bool of shape (batch, steps), optional
            False where a step does not count: there the recurrent layers keep their state.
        initial_state : list, optional
            For each layer None or its first state: ``(h,)`` or ``(h, c)``, each of shape (batch, hidden). Default: 0.
        return_state : bool, default=False
            Give the last states of the recurrent layers as well, in the form of ``initial_state``.

        Returns
        -------
        ndarray
            Of shape (batch, features) where the last layer gives one step, else (batch, steps, features). With
            ``return_state`` a pair of this and the states.
        """
        x = self._checked(x, "x", (None, *self.network.input))
        self.network.layers[0].check_values(x)
        for name, value in (("training", training), ("return_state", return_state)):
            check_parameter("forward", name, value, _BOOLEAN)
        batch = len(x)
        marks = self._marks(mask, batch)
        given = self._checked_states(initial_state, batch, "initial_state")
        self._carried.check(batch)
        self._tiles = []
        if batch == 1 and not training:
            return self._forward_single(x, marks, given, return_state)
        tiles = self._run(x, marks, given, training=training, d_states=return_state)
        self._idle += self._carried.keep(tiles, batch)
        if training:
            self._tiles, self._batch, self._given, self._returned = tiles, batch, set(given), return_state
            self.training_steps += 1
        out = np.concatenate([read_tile(space.y, self.network.output, ones=1) for space in tiles])[:batch]
        y = out if self.network.has_time else out[:, 0]
        if not return_state:
            return y
        tapes = ([space.bound[i].tape for space in tiles] for i in range(len(self.network.layers)))
        rows = (last_states(layer, own, batch) for layer, own in zip(self.network.layers, tapes, strict=True))
        return y, [tuple(states) or None for states in rows]

    def _run(self, x: np.ndarray, marks: np.ndarray | None, given: Rows, **setting: bool) -> list[Workspace]:
        """Tiles after their way up; the states of stateful layers are read, and not changed."""
        states = self._carried.current() | given
        self.network.pack(self._theta)
        setting |= {"masked": marks is not None, "continues": bool(states)}
        setting["wants_d_x"] = setting["training"]
        tiles = [self.network.workspace(**setting) for _ in range(-(-len(x) // LANES))]
        for index, space in enumerate(tiles):
            part = slice(index * LANES, (index + 1) * LANES)
            fill_tile(space.x, x[part], ones=1)
            if marks is not None:
                fill_tile(space.mask, marks[part, :, None])
            for layer, values in states.items():
                self.network.layers[layer].set_state(space.bound[layer].tape, [value[part] for value in values])
            space.is_tile(index, self.training_steps, self.seed)
            space.turn[WINDOWS] = space.turn[TERMS] = len(x)
            in_order((*space.draws, *space.forward))
        return tiles

    def attention_weights(
        self, x: np.ndarray, mask: np.ndarray | None = None, initial_state: States | None = None
    ) -> dict[str, np.ndarray]:
        """How much each step counts in a prediction: of each `Attention` layer, by its name in ``summary()``, weights.

        They are of shape (batch, steps) and add up to 1, but for sequences of which no step counts. The arguments are
        those of a call of the network; what stateful layers carry is left as it is.
        """
        x = self._checked(x, "x", (None, *self.network.input))
        self.network.layers[0].check_values(x)
        batch, names = len(x), [name for name, _ in self.network.layout.layers]
        marks = self._marks(mask, batch)
        self._carried.check(batch)
        tiles = self._run(x, marks, self._checked_states(initial_state, batch, "initial_state"), training=False)
        found = {}
        for i, (name, layer) in enumerate(zip(names, self.network.layers, strict=True)):
            parts = [layer.attention(space.bound[i].tape) for space in tiles]
            if parts[0] is not None:
                found[name] = np.concatenate([part for part in parts if part is not None])[:batch]
        if not found:
            specs = ", ".join(str(layer.spec) for layer in self.network.layers)
            raise ValueError(f"`attention_weights` needs a network with an Attention layer; got {specs}.")
        return found

    def _forward_single(
        self, x: np.ndarray, marks: np.ndarray | None, given: Rows, return_state: bool
    ) -> np.ndarray | tuple[np.ndarray, States]:
        """Predict for a batch of one, with units along the lanes instead of 32 windows of which one counts."""
        carried = self._carried
        single = carried.single or self._idle_single()
        single.pack(self._version)
        single.x[...] = x[0]
        single.mask[...] = 1 if marks is None else marks[0]
        starts, stay = carried.states | given, carried.layers if carried.single else ()
        for i, state in single.states.items():
            if i in starts:
                state.write(starts[i])
            elif i not in stay:
                state.clear()
        single.forward()
        y = single.y[None].copy() if self.network.has_time else single.y.copy()
        found = {i: tuple(state.read()) for i, state in single.states.items()} if return_state else {}
        if carried.layers:
            carried.keep_in(single)
        else:
            self._idle.append(single)
        return (y, [found.get(i) for i in range(len(self.network.layers))]) if return_state else y

    def _idle_single(self) -> SingleWorkspace:
        """Arrays that no other thread is using."""
        try:
            return self._idle.pop()
        except IndexError:
            return self.network.single(self._theta)

    def reset_states(self) -> None:
        """Let stateful layers start from zero again: the next batch holds other sequences."""
        self._idle += self._carried.reset()

    def backward(self, d_y: np.ndarray, d_state: States | None = None) -> np.ndarray:
        """Gradient of the input, given that of the output of the last ``forward(training=True)``.

        ``d_state`` are the gradients of the states that ``return_state=True`` gave, in the same form; default: 0.
        Afterwards ``grads()`` holds those of the weights, ``d_initial_state`` those of the initial states (where they
        were given). The penalties of the layers count as part of the loss: ``grads()`` includes the gradient of
        ``net.penalty``, whatever ``d_y`` is.
        """
        if not self._tiles:
            raise RuntimeError(
                "`backward` needs the tape of a call of `forward(x, training=True)` just before; there is none."
            )
        output = self.network.output
        expected = (self._batch, *output) if self.network.has_time else (self._batch, output.features)
        d_y = self._checked(d_y, "d_y", expected).reshape(self._batch, *output)
        if d_state is not None and not self._returned:
            raise ValueError("`d_state` needs a call of `forward(x, training=True, return_state=True)` just before.")
        d_states = self._checked_states(d_state, self._batch, "d_state")
        for index, space in enumerate(self._tiles):
            part = slice(index * LANES, (index + 1) * LANES)
            space.d_y[:] = 0
            fill_tile(space.d_y, d_y[part])
            for layer, values in d_states.items():
                self.network.layers[layer].set_d_state(space.bound[layer].tape, [value[part] for value in values])
            in_order(space.backward)
        self.network.unpack(sum(space.gradient for space in self._tiles), self.gradient)
        self._penalties.add_gradient(self._theta, self.gradient)
        self.d_initial_state = [self._d_state(i) for i in range(len(self.network.layers))]
        d_x = np.concatenate([read_tile(space.d_x, self.network.input) for space in self._tiles])[: self._batch]
        self._tiles = []  # backward overwrites the tape
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

    def _marks(self, mask: np.ndarray | None, batch: int) -> np.ndarray | None:
        """Ones where steps count and zeros elsewhere; a mask of numbers means the same as one of bools."""
        if mask is None:
            return None
        return (self._checked(mask, "mask", (batch, self.network.input.steps)) > 0).astype(self._theta.dtype)

    def _checked(self, values: Any, name: str, shape: tuple[int | None, ...]) -> np.ndarray:
        array = np.asarray(values)
        found = array.shape
        if not found or found[0] == 0 or found[1:] != shape[1:] or shape[0] not in (None, found[0]):
            expected = tuple("batch" if size is None else size for size in shape)
            raise ValueError(f"`{name}` must have the shape {expected} with at least one row; got {found}.")
        return array.astype(self._theta.dtype, copy=False)

    def _checked_states(self, given: States | None, batch: int, name: str) -> Rows:
        if given is None:
            return {}
        layers = self.network.layers
        if len(given) != len(layers):
            raise ValueError(f"`{name}` must have an entry for each of {len(layers)} layers; got {len(given)}.")
        states = {}
        for i, (layer, values) in enumerate(zip(layers, given, strict=True)):
            if values is not None:
                rows = layer.state_rows
                if len(values) != rows:
                    raise ValueError(f"`{name}[{i}]` must hold {rows} arrays for {layer.spec}; got {len(values)}.")
                shape = (batch, layer.state_size)
                states[i] = [self._checked(value, f"{name}[{i}]", shape) for value in values]
        return states

    def _d_state(self, index: int) -> State | None:
        layer = self.network.layers[index]
        if index not in self._given:
            return None
        parts = [layer.d_state(space.bound[index].tape) for space in self._tiles]
        return tuple(np.concatenate(rows)[: self._batch] for rows in zip(*parts, strict=True))
