"""Real data to learn and to measure with: one set that comes with the package, three that are downloaded."""

from __future__ import annotations

from tsrnn.datasets.ett import fetch_ett
from tsrnn.datasets.jena import fetch_jena_climate
from tsrnn.datasets.m4 import fetch_m4
from tsrnn.datasets.nyc_weather import load_nyc_weather

__all__ = ["fetch_ett", "fetch_jena_climate", "fetch_m4", "load_nyc_weather"]
