"""What users see of training where they ask for it (``verbose``): a progress bar, and word of compilation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tsrnn._cache_folder import cache_info
from tsrnn._errors import check_import
from tsrnn.training.events import EpochEnd


class ProgressBar:
    """One line that says how far training is and how well it goes."""

    def __init__(self, total: int, label: str) -> None:
        # When somebody looks: it takes a while to import.
        tqdm: Any = check_import("tqdm.auto", "progress", "A progress bar (`verbose=True`)").tqdm
        self._bar = tqdm(total=total, desc=label, unit="epoch", file=sys.stderr)

    def __call__(self, record: EpochEnd) -> None:
        shown = {"loss": f"{record.loss:.4g}"}
        if record.val_loss == record.val_loss:
            shown |= {"val_loss": f"{record.val_loss:.4g}", "val_mae": f"{record.val_mae:.4g}"}
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update()

    def write(self, line: str) -> None:
        """A line above the bar."""
        self._bar.write(line, file=sys.stderr)

    def close(self) -> None:
        """Leave the line as it is and go to the next."""
        self._bar.close()


def write_line(line: str) -> None:
    """A line where no bar is."""
    print(line, file=sys.stderr)


class CompileNotice:
    """Says once that kernels are being compiled: the first use takes some seconds longer. Listens to ``on_compile``."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._said = write, False

    def __call__(self, kernel: str) -> None:
        if self._said:
            return
        self._said = True
        info = cache_info()
        kept = f"once; kept in {info.folder}" if info.folder else f"anew in each process: {info.reason}"
        self._write(f"Compiling kernels for this processor ({kept}) ...")
