"""Both estimators, for tests of what they share."""

import pytest
from sequence_sets import KINDS


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request):
    """Both estimators."""
    return request.param
