"""The house rules that can be read off the syntax: who imports whom, and what is written in one place only."""

import ast
from pathlib import Path

import pytest

import tsrnn
import tsrnn.nn  # defines every spec
from tsrnn._jit import Spec
from tsrnn._sources import source_files

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "tsrnn"

SHARED = {"_parameters", "_looking", "_networks", "_encoding", "_checkpoints", "_saving"}  # of all estimators
BASE = {"_version", "_errors", "_cache_folder", "_cache", "_sources", "_entry", "_jit", "_blas"}
# What the modules of each part may import, besides the part itself.
MAY_IMPORT = {
    "_version": set(),
    "_errors": set(),
    "_blas": set(),
    "_cache_folder": set(),
    "_cache": {"_cache_folder"},
    "_sources": set(),
    "_entry": set(),
    "_jit": BASE,
    "_parameters": {"_errors"},
    "_looking": {"_errors", "nn", "training"},
    "_networks": BASE | {"_parameters", "nn", "training"},
    "_encoding": {"_parameters", "nn", "training"},
    "_checkpoints": {"_encoding", "_networks", "persistence", "training"},
    "_saving": {"_errors", "_version", "_parameters", "_encoding", "persistence"},
    "kernels": BASE,
    "nn": BASE | {"kernels"},
    "data": BASE | {"kernels"},
    "datasets": {"_errors", "_version"},
    "training": BASE | {"kernels", "nn", "data"},
    "persistence": {"_errors", "_version"},
    "text": {"_errors", "_parameters"},
    "evaluation": {"_errors", "_version", "_parameters", "data"},
    "forecasting": BASE | SHARED | {"kernels", "nn", "data", "training", "evaluation", "persistence"},
    "estimators": BASE | SHARED | {"kernels", "nn", "data", "text", "training", "forecasting"},
    "testing": BASE | {"kernels", "nn", "data", "training", "forecasting", "_saving"},
    "cuda": BASE | {"kernels", "nn"},
    "interop": BASE | {"nn"},
    "search": BASE | {"_parameters", "data", "training", "evaluation", "forecasting"},
    "_warm_up": BASE | {"nn", "training", "forecasting"},
    "__main__": {"_version", "_cache_folder", "_warm_up"},
    "plotting": BASE | {"data", "evaluation", "forecasting", "nn"},
}
# Optional packages, and heavy ones that only some users need.
WHEN_USED = {
    "matplotlib",
    "narwhals",
    "optuna",
    "polars",
    "pooch",
    "pyarrow",
    "requests",
    "scoringrules",
    "torch",
    "tqdm",
    "utilsforecast",
}
KNOWS_NO_TABLES = (
    "_jit", "_cache", "_cache_folder", "_blas", "kernels", "nn", "training", "data.panel", "data.windows",
)  # fmt: skip
COMPILERS = {"cfunc", "generated_jit", "guvectorize", "jit", "jitclass", "njit", "stencil", "vectorize"}


def module_name(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {module_name(path): ast.parse(path.read_text(), path) for path in sorted(PACKAGE.rglob("*.py"))}
IS_PACKAGE = {module_name(path) for path in PACKAGE.rglob("__init__.py")}


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def nodes_that_run(node, *, inside_functions):
    """Walk the tree without the imports that only type checkers see, and with or without the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child):
            continue
        yield child
        if inside_functions or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from nodes_that_run(child, inside_functions=inside_functions)


def imported(name, *, inside_functions=True, tree=None):
    """Return the full names of the modules that a module of the package imports."""
    found = set()
    for node in nodes_that_run(tree or TREES[name], inside_functions=inside_functions):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = absolute(name, node)
            # What `from . import x` and `from tsrnn import x` name may be a module of the package.
            parts = {f"{base}.{alias.name}" for alias in node.names}
            found |= {base} | {part for part in parts if part.removeprefix("tsrnn.") in TREES}
    return found


def absolute(name, node):
    if not node.level:
        return node.module
    parts = ["tsrnn", *name.split(".")] if name else ["tsrnn"]
    up = node.level - (1 if name in IS_PACKAGE else 0)
    return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])


def imported_parts(name):
    """Return the parts of the package that a module imports, other than its own."""
    parts = {full.split(".")[1] for full in imported(name) if full.startswith("tsrnn.")}
    return parts - {name.split(".")[0]}


def belongs_to(name, parts):
    return any(name == part or name.startswith(f"{part}.") for part in parts)


MODULES = sorted(set(TREES) - {""})


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down_only(name):
    part = name.split(".")[0]
    assert part in MAY_IMPORT, f"Say in MAY_IMPORT what tsrnn.{part} may import."
    upwards = imported_parts(name) - MAY_IMPORT[part]
    assert not upwards, f"tsrnn.{name} must not import {sorted(upwards)}"


@pytest.mark.parametrize("name", [name for name in MODULES if belongs_to(name, KNOWS_NO_TABLES)])
def test_networks_and_training_know_neither_pandas_nor_scikit_learn(name):
    packages = {full.split(".")[0] for full in imported(name)}
    assert packages.isdisjoint({"pandas", "sklearn", "polars", "narwhals"})


def loaded_with(name):
    """Return the full names of all modules that are loaded when a module of the package is imported."""
    found, waiting = set(), [f"tsrnn.{name}"]
    while waiting:
        full = waiting.pop()
        if full in found:
            continue
        found.add(full)
        waiting += [".".join(full.split(".")[:depth]) for depth in range(1, full.count(".") + 1)]
        own = full.removeprefix("tsrnn").removeprefix(".")
        if full.split(".")[0] == "tsrnn" and own in TREES:
            waiting += imported(own, inside_functions=False)
    return found


@pytest.mark.parametrize(
    "name", sorted({*tsrnn._SUBMODULES, *(home[len("tsrnn.") :] for home in tsrnn._HOMES.values())})
)
def test_optional_packages_are_loaded_when_used(name):
    loaded = loaded_with(name)
    for module in sorted(module for module in TREES if f"tsrnn.{module}" in loaded):
        packages = {full.split(".")[0] for full in imported(module, inside_functions=False)}
        assert packages.isdisjoint(WHEN_USED), f"tsrnn.{module} is loaded with tsrnn.{name}"


@pytest.mark.parametrize("name", [name for name in MODULES if name != "_jit"])
def test_one_kernel_decorator(name):
    """Options of the compiler are set in `_jit`, and nowhere else is anything compiled."""
    for node in ast.walk(TREES[name]):
        # A flag of a single instruction in LLVM's builder is no option of the compiler.
        if isinstance(node, ast.Call) and not ast.unparse(node.func).startswith("builder."):
            options = {keyword.arg for keyword in node.keywords} & {"fastmath", "cache", "nogil", "parallel"}
            assert not options, f"line {node.lineno}: {options} belong to @kernel in _jit.py"
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "numba":
            assert not {alias.name for alias in node.names} & COMPILERS, f"line {node.lineno}: use @kernel of _jit.py"
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("numba", "nb"):
            assert node.attr not in COMPILERS, f"line {node.lineno}: use @kernel of _jit.py"


MAKERS = {"helper", "infer_getattr", "intrinsic", "kernel", "lower_getattr_generic", "overload", "overload_method"}
MAKERS |= {"register_jitable", "register_model", "spec_method", "typeof_impl", "when"}
NOT_COMPILED = {"_version", "_errors", "_blas", "_cache_folder", "_cache", "_sources", "__main__"}


def specs(base):
    for spec in base.__subclasses__():
        yield spec
        yield from specs(spec)


def compiled_modules():
    """Modules that define something for the compiler, by a decorator or a function of the compiler's or as a spec."""
    found = {spec.__module__.removeprefix("tsrnn.") for spec in specs(Spec)} & set(TREES)
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("tsrnn", "numba", "llvmlite"):
                names = {alias.name for alias in node.names}
                if names & MAKERS or node.module.startswith("llvmlite"):
                    found.add(name)
    return found - NOT_COMPILED


CELLS = {f"nn.cells.{path.stem}" for path in (PACKAGE / "nn" / "cells").glob("*.py")} - {"nn.cells.cell"}
COMPILED = sorted(compiled_modules())


def test_compiled_modules_are_found():
    known = {"_jit", "kernels.activations", "kernels.gather", "kernels.simd.functions", "kernels.simd.vector"}
    known |= {"nn.cells.cell", "nn.cells.gru", "nn.heads.point", "nn.layers.dense", "nn.recurrent"}
    assert known <= set(COMPILED)


@pytest.mark.parametrize("name", COMPILED)
def test_the_cache_notices_an_edit_of_all_that_kernels_are_made_of(name):
    """A kernel is made of its own file and of files that this one imports: ``source_files``, and for a cell its own."""
    noticed = {module_name(path) for path in source_files()} | NOT_COMPILED
    if name in CELLS:  # its digest is part of the type that kernels are compiled for
        noticed.add(name)
    found, waiting = set(), {name}
    while waiting:
        found |= waiting
        full = {full for module in waiting for full in imported(module) if full.startswith("tsrnn.")}
        waiting = {part.removeprefix("tsrnn.") for part in full} & set(TREES) - found
    assert not found - noticed, "Enter these files in `source_files` of _sources.py."


ORACLES = sorted((ROOT / "tests" / "reference").glob("[!t]*.py"))


@pytest.mark.parametrize("path", ORACLES, ids=[path.stem for path in ORACLES])
def test_oracles_share_no_code_with_the_package(path):
    packages = {full.split(".")[0] for full in imported("", tree=ast.parse(path.read_text()))}
    assert "tsrnn" not in packages


@pytest.mark.parametrize(
    ("name", "line", "expected"),
    [
        ("nn.params", "import numpy.linalg", "numpy.linalg"),
        ("nn.params", "from tsrnn.data.panel import Panel", "tsrnn.data.panel"),
        ("nn.params", "from tsrnn import data", "tsrnn.data"),
        ("nn.params", "from ..data import panel", "tsrnn.data"),
        ("nn.params", "from .. import data", "tsrnn.data"),
        ("nn.params", "from . import layer", "tsrnn.nn.layer"),
        ("nn.params", "from tsrnn.nn import cells", "tsrnn.nn.cells"),
        ("nn", "from .params import ParamLayout", "tsrnn.nn.params"),
        ("nn.cells", "from ..params import ParamLayout", "tsrnn.nn.params"),
        ("persistence", "from . import forecasting", "tsrnn.forecasting"),
        ("nn.params", "def f():\n    if True:\n        import pandas", "pandas"),
    ],
)
def test_imports_are_seen_in_every_form(name, line, expected):
    assert expected in imported(name, tree=ast.parse(line))


def test_what_is_loaded_is_followed_through_modules():
    loaded = loaded_with("datasets")
    assert {"tsrnn", "tsrnn.datasets.ett", "tsrnn.datasets._files", "tsrnn._errors", "numpy", "gzip"} <= loaded
    assert "pandas" not in loaded


def test_imports_for_type_checkers_do_not_count():
    tree = ast.parse("if TYPE_CHECKING:\n    import pandas\ndef f():\n    import polars\nimport numpy")
    assert imported("", tree=tree) == {"numpy", "polars"}
    assert imported("", tree=tree, inside_functions=False) == {"numpy"}
