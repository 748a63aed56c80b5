"""A second way into every kernel: one that takes its arguments from memory, so that machine code can call it too.

Python's way in needs the interpreter's lock, and a kernel's own signature differs from kernel to kernel. The entry made
here is the same for all of them: the address of the arguments, in words of eight bytes and in the order in which Numba
hands them over. It lies beside the kernel in its library, hence in the cache.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering

WORD = ir.IntType(64)
STATUS = ir.IntType(32)  # zero, unless the kernel raised
ENTRY = ir.FunctionType(STATUS, [WORD.as_pointer()])
_BITS = (1 << 64) - 1
_ARRAY, _INTEGER = "array", "integer"  # forms of arguments; those of reals are how `struct` packs them
_REALS = {types.float32: "<f", types.float64: "<d"}


def _entry_name(function: str) -> str:
    return f"entry.{function}"


class _Lower(Lower):
    """Numba's lowering, with the entry in the place of the function for C that nobody asks for."""

    def create_cfunc_wrapper(self) -> None:
        context, found = self.context, self.fndesc
        module = context.create_module("entry")
        kernel = ir.Function(
            module, context.call_conv.get_function_type(found.restype, found.argtypes), found.llvm_func_name
        )
        entry = ir.Function(module, ENTRY, _entry_name(found.llvm_func_name))
        builder = ir.IRBuilder(entry.append_basic_block())
        packer = context.get_arg_packer(found.argtypes)
        flat = [_load(builder, entry.args[0], i, kind) for i, kind in enumerate(packer.argument_types)]
        status, _ = context.call_conv.call_function(
            builder, kernel, found.restype, found.argtypes, packer.from_arguments(builder, flat), attrs=("noinline",)
        )
        builder.ret(status.code)
        self.library.add_ir_module(module)


def _load(builder: ir.IRBuilder, words: ir.Value, index: int, kind: ir.Type) -> ir.Value:
    """Word ``index`` as a value of this type."""
    word = builder.load(builder.gep(words, [WORD(index)]))
    if isinstance(kind, ir.PointerType):
        return builder.inttoptr(word, kind)
    if isinstance(kind, ir.FloatType):
        return builder.bitcast(builder.trunc(word, ir.IntType(32)), kind)
    if isinstance(kind, ir.DoubleType):
        return builder.bitcast(word, kind)
    return word if kind.width == 64 else builder.trunc(word, kind)


@register_pass(mutates_CFG=True, analysis_only=False)
class _Lowering(NativeLowering):
    """The pass of Numba's that lowers, with our ``Lower``."""

    _name = "lowering_with_entry"

    @property
    def lowering_class(self) -> type[Lower]:
        return _Lower


class Compiler(CompilerBase):
    """Numba's compiler, making kernels with an entry."""

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [(_Lowering if step is NativeLowering else step, name) for step, name in passes.passes]
        passes.finalize()
        return [passes]


class Native(NamedTuple):
    """A call as machine code makes it; whoever has it keeps the arrays alive."""

    entry: int  # its address
    words: np.ndarray  # the arguments, uint64
    addresses: np.ndarray  # which of the words are addresses of arrays' numbers


class Entry:
    """The second way into one compiled kernel.

    Parameters
    ----------
    compiled : CompileResult
        Made by `Compiler`.
    """

    def __init__(self, compiled: Any) -> None:
        name = _entry_name(compiled.fndesc.llvm_func_name)
        self.address = compiled.library.get_pointer_to_function(name)
        self._forms = tuple(_form_of(kind) for kind in compiled.signature.args)

    def call(self, arguments: Sequence[Any]) -> Native:
        """The call with these arguments."""
        words: list[int] = []
        addresses: list[int] = []
        _write(self._forms, arguments, words, addresses)
        return Native(self.address, np.array(words, np.uint64), np.array(addresses, np.intp))


_entries: WeakKeyDictionary[Any, Entry] = WeakKeyDictionary()  # by the library that holds the code


def entry_of(compiled: Any) -> Entry:
    """The entry of a compiled kernel, looked for once: that takes longer than to write a call."""
    found = _entries.get(compiled.library)
    if found is None:
        found = _entries.setdefault(compiled.library, Entry(compiled))
    return found


def _form_of(kind: Any) -> Any:
    """How arguments of a type become words: asked once, because Numba's types are slow to answer."""
    if isinstance(kind, types.BaseTuple):
        return tuple(map(_form_of, kind.types))  # type: ignore[attr-defined]  # of all tuples, undeclared
    if isinstance(kind, types.Array):
        return _ARRAY
    if isinstance(kind, types.Integer | types.Boolean):
        return _INTEGER
    if kind in _REALS:
        return _REALS[kind]
    raise TypeError(f"A call in a program takes arrays, numbers and tuples of them; got an argument of type {kind}.")


def _write(forms: Sequence[Any], values: Sequence[Any], words: list[int], addresses: list[int]) -> None:
    """Add arguments of these forms to the words, and where addresses of arrays' numbers are."""
    for form, value in zip(forms, values, strict=True):
        if form is _ARRAY:
            addresses.append(len(words) + 4)
            words += 0, 0, value.size, value.itemsize, value.ctypes.data  # no owner that would count references
            words += value.shape
            words += [stride & _BITS for stride in value.strides]
        elif form is _INTEGER:
            words.append(int(value) & _BITS)
        elif isinstance(form, tuple):
            _write(form, value, words, addresses)
        else:
            words.append(int.from_bytes(struct.pack(form, value), "little"))
