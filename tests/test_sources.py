"""Digests of what machine code is made of: an edit anywhere makes another one, and nothing else does."""

import inspect
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tsrnn
from tsrnn import _sources
from tsrnn._sources import digest_of, source_digest, source_files

PACKAGE = Path(tsrnn.__file__).parent
FILES = [path.relative_to(PACKAGE).as_posix() for path in source_files()]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    root = tmp_path_factory.mktemp("copy") / "tsrnn"
    return Path(shutil.copytree(PACKAGE, root, ignore=shutil.ignore_patterns("__pycache__", "datasets")))


@pytest.mark.parametrize("name", FILES)
def test_each_file_counts(name, copy, monkeypatch):
    monkeypatch.setattr(_sources, "_ROOT", copy)
    before = (copy / name).read_bytes()
    assert source_digest.__wrapped__() == source_digest()
    (copy / name).write_bytes(before + b"\n")
    assert source_digest.__wrapped__() != source_digest()
    (copy / name).write_bytes(before)


# Users' own: a script that prints digests, with modules beside it

FILES_OF_A_USER = {
    "settings.py": "import numpy as np\nSLOPE = np.float32(2.0)\nUNUSED = 1\n",
    "tools.py": """
import settings
from tsrnn._jit import helper

@helper
def bend(x):
    return x * settings.SLOPE
""",
    "wave.py": """
from tsrnn.kernels.activations import Activation
from tsrnn.kernels.simd import tanh

class Wave(Activation):
    __slots__ = ()

    def value(self, x):
        return tanh(x)
""",
    "activations.py": "from wave import Wave\n\nWAVE = Wave()\n",
    "mixin.py": """
class Mixin:
    __slots__ = ()

    def reset(self, x):
        return x
""",
    "cell.py": """
from typing import NamedTuple
import numpy as np
import mixin
import tools
from activations import WAVE
from tsrnn._jit import Spec, kernel

TABLE = np.arange(3.0)

class Fields(NamedTuple):
    size: int

class Mine(mixin.Mixin, Spec, Fields):
    __slots__ = ()
    GATES = 2

    def __repr__(self):
        return super().__repr__()

    def forward(self, x):
        return tools.bend(WAVE.value(x)) + TABLE[0]

def run(x):
    return tools.bend(x)
""",
    "main.py": """
import sys
sys.dont_write_bytecode = True
from cell import Mine, run
from tsrnn._sources import digest_of
print(Mine.DIGEST, digest_of(run))
""",
}


def digests(folder, changes=(), **environment):
    for name, text in FILES_OF_A_USER.items():
        for file, old, new in changes:
            if file == name:
                assert text.count(old) == 1
                text = text.replace(old, new)
        (folder / name).write_text(text)
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)} | environment
    command = [sys.executable, folder / "main.py"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return run.stdout.split()


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    return digests(tmp_path_factory.mktemp("unchanged"))


def test_processes_and_folders_agree(unchanged, tmp_path):
    assert digests(tmp_path) == unchanged


@pytest.mark.parametrize(
    ("change", "of_class", "of_function"),
    [
        (("cell.py", "GATES = 2", "GATES = 3"), True, True),
        (("tools.py", "x *", "x +"), True, True),
        (("settings.py", "float32(2.0)", "float32(2.5)"), True, True),
        (("wave.py", "return tanh(x)", "return -tanh(x)"), True, False),
        (("mixin.py", "return x", "return -x"), True, False),
        (("settings.py", "UNUSED = 1", "UNUSED = 2"), False, False),
        (("main.py", "import sys", "import os, sys"), False, False),
    ],
    ids=lambda change: " ".join(change[::2]) if isinstance(change, tuple) else "",
)
def test_what_counts_of_a_users_files(change, of_class, of_function, unchanged, tmp_path):
    now = digests(tmp_path, [change])
    assert [new != old for new, old in zip(now, unchanged, strict=True)] == [of_class, of_function]


def test_sets_have_no_order(tmp_path):
    texts, tuples = '{"a", "b", "c", "d", "e"}', '{("a", 1), ("b", 2), ("c", 3), ("d", 4)}'
    change = ("cell.py", "def run(x):\n", f"def run(x):\n    assert x not in {texts}\n    assert x not in {tuples}\n")
    first, *others = [digests(tmp_path, [change], PYTHONHASHSEED=str(seed)) for seed in range(4)]
    assert others == [first] * 3


def test_sets_within_tuples_have_no_order():
    def run():
        pass

    def digest(*numbers):
        constant = (1, (frozenset(numbers), "a"))
        return digest_of(type(run)(run.__code__.replace(co_consts=(None, constant)), {"__name__": "no_such_module"}))

    assert repr(frozenset([8, 0])) != repr(frozenset([0, 8]))  # in the same process: the hashes collide
    assert digest(8, 0) == digest(0, 8) != digest(0, 9)


INSTALLED = ("main.py", "from cell", "from tsrnn import _sources\n_sources._INSTALLED = (sys.path[0],)\nfrom cell")


@pytest.fixture(scope="module")
def unchanged_installed(tmp_path_factory):
    return digests(tmp_path_factory.mktemp("installed"), [INSTALLED])


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (("cell.py", "GATES = 2", "GATES = 3"), True),  # the package of the class itself
        (("tools.py", "x *", "x +"), False),
        (("tools.py", "import settings", "import settings\n__version__ = 2"), True),
        (("settings.py", "float32(2.0)", "float32(2.5)"), False),
    ],
    ids=lambda change: " ".join(change[::2]) if isinstance(change, tuple) else "",
)
def test_only_versions_count_of_installed_packages(change, counts, unchanged_installed, tmp_path):
    assert (digests(tmp_path, [INSTALLED, change]) != unchanged_installed) == counts


def test_installed_packages_are_not_looked_into(monkeypatch):
    seen = []
    file_text = _sources._file_text
    monkeypatch.setattr(_sources, "_file_text", lambda value: seen.append(value) or file_text(value))
    run = in_a_notebook("import os, pytest\nfrom pytest import approx\ndef run(x): return approx(x, pytest.raises, os)")
    before = digest_of(run)
    assert seen == [run]
    assert inspect.getmodule(pytest.approx).__name__.startswith("_pytest.")
    monkeypatch.setattr(_sources, "_version", lambda package: "another")
    assert digest_of(run) != before


def in_a_notebook(source):
    """The function ``run`` that the source makes where there is no file."""
    space = {"__name__": "no_such_module"}
    exec(source, space)
    return space["run"]


NOTEBOOK = """
import numpy as np
from tsrnn._jit import helper

SCALE = (1, 2.0)
TABLE = np.array([1.0, 2.0])

@helper
def change(x, slope=0.01, *, shift=7):
    return x * slope + 1 + shift

def run(x):
    return change(x) * SCALE[1] + TABLE[0] + sum([i for i in range(3)])
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("slope + 1", "slope + 2"),
        ("slope=0.01", "slope=0.5"),
        ("shift=7", "shift=8"),
        ("2.0)", "3.0)"),
        ("[1.0", "[1.5"),
        ("range(3)", "range(4)"),
    ],
)
def test_what_counts_where_there_is_no_file(old, new):
    assert digest_of(in_a_notebook(NOTEBOOK)) == digest_of(in_a_notebook(NOTEBOOK))
    assert NOTEBOOK.count(old) == 1
    assert digest_of(in_a_notebook(NOTEBOOK.replace(old, new))) != digest_of(in_a_notebook(NOTEBOOK))


def test_other_digests_count():
    run = in_a_notebook(NOTEBOOK)
    assert len({digest_of(run), digest_of(run, "a"), digest_of(run, "b")}) == 3
