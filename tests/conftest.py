"""Makes the oracles importable from every test, as ``from reference import recurrent``."""

import sys
from pathlib import Path

# Writes the fixture; needs packages that the tests do without.
collect_ignore = ["reference/make_keras_fixture.py"]

sys.path.insert(0, str(Path(__file__).resolve().parent))
