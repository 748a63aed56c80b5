"""The progress bar, a listener like any other."""

from __future__ import annotations

import sys
from typing import Any

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

    def close(self) -> None:
        """Leave the line as it is and go to the next."""
        self._bar.close()
