from __future__ import annotations

import pytest

from broker.installed import ModelStore


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")
