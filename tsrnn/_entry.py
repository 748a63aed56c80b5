"""A second way into every kernel: one that takes its arguments from memory, so that machine code can call it too.

Python's way in needs the interpreter's lock, and a kernel's own signature differs from kernel to kernel. The entry made
here is the same for all of them: the address of the arguments, in words of eight bytes and in the order in which Numba
hands them over. It lies beside the kernel in its library, hence in the cache.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

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


def entry_address(compiled: Any) -> int:
    """Where the entry of a compiled kernel is."""
    return compiled.library.get_pointer_to_function(_entry_name(compiled.fndesc.llvm_func_name))


def words_of(kind: Any, value: Any) -> Iterator[tuple[int, bool]]:
    """An argument as words, and whether each is the address of an array's numbers; the caller keeps arrays alive."""
    if isinstance(value, tuple):
        for part, of_part in zip(kind, value, strict=True):
            yield from words_of(part, of_part)
    elif isinstance(kind, types.Array):
        yield 0, False  # no owner that would count references
        yield 0, False
        yield value.size, False
        yield value.itemsize, False
        yield value.ctypes.data, True
        for number in (*value.shape, *value.strides):
            yield number & _BITS, False
    elif kind in _REALS:
        yield int.from_bytes(struct.pack(_REALS[kind], value), "little"), False
    elif isinstance(kind, types.Integer | types.Boolean):
        yield int(value) & _BITS, False
    else:
        raise TypeError(f"A call in a program takes arrays, numbers and tuples of them; got {value!r} ({kind}).")
