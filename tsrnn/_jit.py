"""How every kernel is compiled, cached, and specialised by what it is called with.

``@kernel`` is the one way to compile a function. Machine code is kept in the user's cache folder under a key that
holds a digest of all kernel sources, so an edit is never answered with yesterday's code.

A ``Spec`` is a named tuple of numbers whose *class* says what to compute. Numba sees a type for every class, so a
kernel that reads ``spec.GATES`` or calls ``spec.forward(...)`` gets machine code of its own for each cell, activation
or loss, and the disk cache still works (it would not for functions passed as arguments, or for closures).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

from numba import config, njit
from numba.core import types
from numba.core.imputils import impl_ret_borrowed
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import (
    lower_getattr_generic,
    models,
    overload,
    overload_method,
    register_model,
    typeof_impl,
)

from tsrnn._cache import KernelCache
from tsrnn._entry import Compiler, Native, entry_of
from tsrnn._sources import digest_of, source_digest

FAST_MATH = {"contract", "nsz"}  # NaN and infinity keep their meaning


def kernel(function: Callable) -> Callable:
    """Compile ``function`` when it is first called with arguments of new types; releases the GIL; cached on disk.

    Not for closures: the cache could not tell those of one function apart.
    """
    if function.__closure__:
        raise TypeError(
            f"@kernel takes functions at the top of a module; {function.__qualname__} closes over variables."
        )
    compiled = njit(
        function, nogil=True, boundscheck=False, error_model="numpy", fastmath=FAST_MATH, pipeline_class=Compiler
    )
    if not config.DISABLE_JIT:
        own = "" if function.__module__.startswith("tsrnn.") else digest_of(function)
        compiled._cache = KernelCache(function, source_digest() + own)
    return compiled


def machine_code(kernel: Callable, *arguments: Any) -> Callable:
    """The compiled ``kernel`` for arguments of these types, and of no others: nothing is checked when it is called.

    Numba looks at the types of all arguments at every call, which takes 2 to 6 us with tuples of arrays; this, a tenth.
    """
    return kernel if config.DISABLE_JIT else _compiled(kernel, arguments).entry_point


def _compiled(kernel: Any, arguments: tuple) -> Any:
    types_of = tuple(kernel.typeof_pyval(argument) for argument in arguments)
    # First without the compiler's lock: another thread may hold it for seconds, and in a forked child for ever.
    if types_of not in kernel.overloads:
        kernel.compile(types_of)
    return kernel.overloads[types_of]


class Call(functools.partial):
    """A kernel with its arguments, looked up once: to be called from Python, or by a `Program`."""

    kernel: Callable
    compiled: Any  # its machine code for arguments of these types

    def again(self, *arguments: Any) -> Call:
        """The same with other arguments, whose types the caller vouches for: looking at them takes most of the time."""
        call = Call(self.func, *arguments)
        call.kernel, call.compiled = self.kernel, self.compiled
        return call

    @functools.cached_property
    def native(self) -> Native:
        """The kernel's entry and the words that it reads; found once."""
        return entry_of(self.compiled).call(self.args)


def prepare(kernel: Callable, *arguments: Any) -> Call:
    """The call ``kernel(*arguments)``, to be made many times."""
    compiled = None if config.DISABLE_JIT else _compiled(kernel, arguments)
    call = Call(kernel if compiled is None else compiled.entry_point, *arguments)
    call.kernel, call.compiled = kernel, compiled
    return call


def helper(function: Callable) -> Callable:
    """A function that is pasted into the kernels that call it, so that constants stay constants there."""
    return njit(function, inline="always")


def when(constant: str, otherwise: Callable | None = None) -> Callable:
    """Compile a helper to another one, or to nothing, for specs whose class constant is zero.

    The first argument of the helper is the spec. A plain ``if`` would do at run time, but Numba would still have to
    type and compile the branch that is never taken.
    """

    def decorate(function: Callable) -> Callable:
        other = _same_arguments(function) if otherwise is None else getattr(otherwise, "py_func", otherwise)

        @functools.wraps(function)
        def choose(spec, *arguments):
            return function(spec, *arguments) if getattr(spec, constant) else other(spec, *arguments)

        if config.DISABLE_JIT:
            return choose

        def template(spec, *arguments):
            return function if getattr(spec.instance_class, constant) else other

        # Inlined in Numba's own representation: a call would count references to every array it is handed.
        overload(choose, strict=False, inline="always")(template)
        return choose

    return decorate


def _same_arguments(function: Callable) -> Callable:
    """A function that takes what ``function`` takes, and does nothing; Numba cannot inline one of ``*arguments``."""
    count = function.__code__.co_argcount
    names = function.__code__.co_varnames[:count]
    empty = (lambda: None).__code__.replace(co_argcount=count, co_nlocals=count, co_varnames=names)
    return FunctionType(empty, {}, f"no_{function.__name__}")


class Spec:
    """Base of the named tuples whose class selects the machine code (mix in before the named tuple)."""

    __slots__ = ()
    DIGEST = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        inherited = [base.DIGEST for base in cls.__bases__ if issubclass(base, Spec)]
        cls.DIGEST = digest_of(cls, *inherited)


class SpecType(types.NamedTuple):
    """Numba's type of a ``Spec``. The digest of the class is part of it, hence of the cache key."""

    def __init__(self, fields: tuple, cls: type) -> None:
        self.digest = cls.DIGEST  # type: ignore[attr-defined]
        super().__init__(fields, cls)
        self.name = f"{cls.__module__}.{cls.__qualname__}_{self.digest}{fields}"

    def __bool__(self) -> bool:
        return True  # Numba asks by truth whether a method has a receiver; a spec of no fields would be false

    @property
    def key(self) -> tuple:
        return (*super().key, self.digest)

    def __reduce__(self) -> tuple:
        return _known_type, (self.name,)


_known: dict[str, SpecType] = {}


def _known_type(name: str) -> SpecType:
    """How types come back from the cache, which is only asked about types that are here.

    Pickled with its class, a cell that cannot be imported (a script's own) would come back as another type, and Numba
    would load its code anew on each call.
    """
    return _known[name]


register_model(SpecType)(models.TupleModel)


@typeof_impl.register(Spec)
def _typeof_spec(spec: Any, context: Any) -> SpecType:
    found = SpecType(tuple(typeof_impl(field, context) for field in spec), type(spec))
    return _known.setdefault(found.name, found)


@infer_getattr
class _SpecConstants(AttributeTemplate):
    """``spec.NAME`` is a compile-time literal."""

    key = SpecType

    def generic_resolve(self, spec, name):
        if name.isupper():
            return types.literal(getattr(spec.instance_class, name))
        return None  # a field: Numba knows those


@lower_getattr_generic(SpecType)
def _lower_constant(context, builder, spec, value, name):
    if name.isupper():
        return context.get_constant(types.int64, getattr(spec.instance_class, name))
    place = spec.fields.index(name)
    # Kernels give the reference back when they are done with a field: of an array not held for them, one too many.
    return impl_ret_borrowed(context, builder, spec.types[place], builder.extract_value(value, place))


def spec_method(name: str, count: int) -> None:
    """Let kernels call the method ``name`` of specs, with ``count`` arguments; it is pasted in by LLVM."""
    resolvers = {
        1: lambda self, a: getattr(self.instance_class, name),
        2: lambda self, a, b: getattr(self.instance_class, name),
        3: lambda self, a, b, c: getattr(self.instance_class, name),
        4: lambda self, a, b, c, d: getattr(self.instance_class, name),
    }
    overload_method(SpecType, name, jit_options={"forceinline": True}, strict=False)(resolvers[count])
