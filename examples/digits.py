"""Handwritten digits, read row by row: each picture of 8 by 8 is a sequence of 8 steps with 8 features.

An LSTM sees one row of a picture after the other and says at the end which digit it was; logistic regression sees all
64 pixels at once. Both have the same five splits into training and test pictures. The width of the LSTM is chosen in
each split on a validation part of the training pictures. Test pictures are looked at once, at the end.

Usage: python examples/digits.py
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tsrnn import RNNClassifier

WIDTHS = (32, 96)
SPLITS = 5


def make_lstm(width: int) -> RNNClassifier:
    """A row of a table is a picture: 8 steps, the columns of the first step first."""
    return RNNClassifier(
        cell="lstm",
        hidden_size=width,
        n_steps=8,
        dropout=0.2,
        lr_schedule="cosine",  # small steps at the end, in place of early stopping
        early_stopping=False,
        restore_best_weights=False,
        batch_size=64,
        learning_rate=1e-2,
        max_epochs=20,
        random_state=0,
    )


def choose_width(X: np.ndarray, y: np.ndarray) -> int:
    """The width that tells most of a validation part of these pictures."""
    X_fit, X_val, y_fit, y_val = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    scores = {width: make_lstm(width).fit(X_fit, y_fit).score(X_val, y_val) for width in WIDTHS}
    return max(WIDTHS, key=scores.__getitem__)


def compare(seed: int) -> dict[str, float]:
    """One split: test accuracies."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=seed)
    width = choose_width(X_train, y_train)
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return {
        "split": seed,
        "logistic regression": linear.fit(X_train, y_train).score(X_test, y_test),
        "LSTM": make_lstm(width).fit(X_train, y_train).score(X_test, y_test),
        "units": width,
    }


def main() -> None:
    start = time.perf_counter()
    table = pd.DataFrame([compare(seed) for seed in range(SPLITS)]).set_index("split")
    print("Accuracy on test pictures\n")
    print(table.round(4).to_string())
    medians = table[["logistic regression", "LSTM"]].median()
    print(f"\nMedian: {medians['logistic regression']:.4f} and {medians['LSTM']:.4f}")
    print(f"{time.perf_counter() - start:.0f} seconds in all")


if __name__ == "__main__":
    main()
