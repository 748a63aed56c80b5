"""Weights from and to PyTorch and Keras. Neither of them is imported: weights are plain arrays, or tensors."""

from tsrnn.interop.keras import from_keras, to_keras
from tsrnn.interop.pytorch import from_torch, to_torch

__all__ = ["from_keras", "from_torch", "to_keras", "to_torch"]
