"""Who wrote this? A network that reads characters tells the docstrings of numpy, pandas, scikit-learn and scipy apart.

The docstrings are those of the installed packages, with the names of the packages taken out. A GRU reads a text in
pieces, one character after the other and in both directions: each is a token with a vector that is learned, and what is
missing at the end of the last piece is masked. What it thinks of the pieces of a text is averaged. Beside it stands
logistic regression on how often each character comes in the text.

Modules are held out whole: none of the texts that are tested on come from a module that anything was learned from. The
settings were chosen on a second group of modules, which is also what training is watched with; those tested on had no
say in them.

Usage: python examples/authorship.py [--texts 1000] [--epochs 9]
"""

from __future__ import annotations

import argparse
import ast
import re
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from tsrnn import RNNClassifier, TokenSequencer
from tsrnn.nn import GRU, Bidirectional

PACKAGES = {"numpy": "numpy", "pandas": "pandas", "scikit-learn": "sklearn", "scipy": "scipy"}
NAMES = re.compile(r"\b(numpy|np|pandas|pd|scikit[- ]?learn|sklearn|scipy|sp)\b", re.IGNORECASE)
SHORTEST, LONGEST, PIECE = 200, 2000, 250  # characters of a text that are read, and of a piece


def docstrings(folder: Path) -> pd.DataFrame:
    """The docstrings of classes and functions in the files of a package, tests left out: module and text."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        module = path.relative_to(folder.parent).as_posix()
        if "test" in module:
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                text = NAMES.sub("", ast.get_docstring(node) or "")
                if len(text) >= SHORTEST:
                    found.append((module, text[:LONGEST]))
    return pd.DataFrame(found, columns=["module", "text"]).drop_duplicates("text")


def load(texts: int) -> pd.DataFrame:
    """As many texts of each package: package, module, text."""
    parts = {}
    for package, name in PACKAGES.items():
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ImportError(f"The docstrings of {name} are needed, which is not installed as files.")
        parts[package] = docstrings(Path(spec.origin).parent).sample(texts, random_state=0)
    return pd.concat(parts, names=["package", "row"]).reset_index("package").reset_index(drop=True)


def split(texts: pd.DataFrame, fraction: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Texts of some modules, and those of the others."""
    first, second = next(GroupShuffleSplit(1, test_size=fraction, random_state=0).split(texts, groups=texts["module"]))
    return texts.iloc[first], texts.iloc[second]


def pieces(texts: pd.DataFrame) -> pd.DataFrame:
    """The texts in pieces, under the index of the text; a short rest is left out."""
    starts = [range(0, max(1, len(text) - PIECE // 2), PIECE) for text in texts["text"]]
    cut = [[text[i : i + PIECE] for i in some] for text, some in zip(texts["text"], starts, strict=True)]
    return texts.assign(text=cut).explode("text")


def train_network(train: pd.DataFrame, validation: pd.DataFrame, epochs: int) -> tuple[TokenSequencer, RNNClassifier]:
    """Characters to tokens, and tokens to packages."""
    sequencer = TokenSequencer(level="char", max_tokens=80, max_steps=PIECE)
    network = RNNClassifier(
        layers=[Bidirectional(GRU(48, dropout=0.1, recurrent_dropout=0.1))],
        embedding_dim=16,
        batch_size=64,
        learning_rate=1e-2,
        lr_schedule="cosine",
        max_epochs=epochs,
        random_state=0,
    )
    train, validation = pieces(train), pieces(validation)
    codes, others = sequencer.fit_transform(train["text"]), sequencer.transform(validation["text"])
    return sequencer, network.fit(codes, train["package"], X_val=others, y_val=validation["package"])


def who_wrote(texts: pd.DataFrame, sequencer: TokenSequencer, network: RNNClassifier) -> np.ndarray:
    """The package of each text, by the mean over its pieces of the logarithms of the probabilities."""
    parts = pieces(texts)
    chances = pd.DataFrame(network.predict_log_proba(sequencer.transform(parts["text"])), parts.index, network.classes_)
    return chances.groupby(level=0).mean().loc[texts.index].idxmax(axis=1).to_numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=1000, help="of each package")
    parser.add_argument("--epochs", type=int, default=9)
    given = parser.parse_args()
    start = time.perf_counter()
    rest, test = split(load(given.texts), 0.25)
    train, validation = split(rest, 0.2)
    print(f"{len(train)} texts to learn from, {len(validation)} to validate on, {len(test)} to test on\n")

    counts = make_pipeline(CountVectorizer(analyzer="char"), Normalizer("l1"), StandardScaler(with_mean=False))
    linear = make_pipeline(counts, LogisticRegression(C=0.1, max_iter=1000)).fit(rest["text"], rest["package"])
    sequencer, network = train_network(train, validation, given.epochs)
    found = {
        "bag of characters": linear.predict(test["text"]),
        "GRU": who_wrote(test, sequencer, network),
    }

    print("Accuracy on modules that were held out; one in four by chance\n")
    written = test["package"].to_numpy()
    print(pd.Series({name: (said == written).mean() for name, said in found.items()}).round(3).to_string())
    print("\nWhat the GRU says, in per cent of the texts of each package\n")
    table = pd.crosstab(written, found["GRU"], rownames=["written by"], colnames=["said"], normalize="index")
    print((100 * table).round().astype(int).to_string())
    print(f"\n{time.perf_counter() - start:.0f} seconds in all")


if __name__ == "__main__":
    main()
