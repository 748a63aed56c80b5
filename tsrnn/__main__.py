"""The command line: ``python -m tsrnn warmup`` compiles the common kernels, ``cache`` says where they are."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tsrnn._cache_folder import CacheInfo, cache_info, clear
from tsrnn._version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 where it cannot be done, 2 for a command line that is not understood."""
    parser = argparse.ArgumentParser("python -m tsrnn", description="Recurrent networks for forecasting.")
    parser.add_argument("--version", action="version", version=f"tsrnn {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    warmup = commands.add_parser(
        "warmup",
        help="compile the common kernels for this processor",
        description="Compile the kernels that forecasters commonly need (each cell, loss and optimizer with the "
        "default activations, training and prediction), so that nobody has to wait for them later. Those that are "
        "in the cache already are not compiled again.",
    )
    warmup.add_argument("-q", "--quiet", action="store_true", help="do not name each kernel")
    cache = commands.add_parser(
        "cache",
        help="say where compiled kernels are kept",
        description="Say where compiled kernels are kept, how many there are and how much room they take. "
        "TSRNN_CACHE_DIR names another folder; TSRNN_CACHE_DIR=off keeps none.",
    )
    cache.add_argument("--clear", action="store_true", help="delete them")
    options = parser.parse_args(arguments)
    info = cache_info()
    if info.folder is None and (options.command == "warmup" or options.clear):
        print(f"error: there is no folder of compiled kernels: {info.reason}.", file=sys.stderr)
        return 1
    return _warmup(options.quiet) if options.command == "warmup" else _cache(info, options.clear)


def _warmup(quiet: bool) -> int:
    from numba import config

    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        print("error: NUMBA_DISABLE_JIT is set, so nothing is compiled. Unset it.", file=sys.stderr)
        return 1
    from tsrnn._warm_up import warm_up  # after --help and errors, which need not wait for it

    start = time.perf_counter()
    count = warm_up(lambda kernel: None if quiet else print(kernel, flush=True))
    seconds = time.perf_counter() - start
    print(f"Compiled {count} kernels in {seconds:.0f} s." if count else "All common kernels were compiled already.")
    _describe(cache_info())
    return 0


def _cache(info: CacheInfo, delete: bool) -> int:
    if delete and info.folder:
        clear(info.folder)
        print(f"Deleted {info.files} files.")
    _describe(cache_info())
    return 0


def _describe(info: CacheInfo) -> None:
    print("folder", info.folder or "none", sep="\t")
    print("files", info.files, sep="\t")
    print("bytes", info.bytes, sep="\t")
    if info.reason:
        print("reason", info.reason, sep="\t")


if __name__ == "__main__":
    sys.exit(main())
