"""Stores on both kinds of database."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, make_url

from farm.database import open_database
from farm.models import Row
from farm.store import JobStore


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def database_url(request, tmp_path):
    """A fresh database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'farm.db'}"
    url = request.getfixturevalue("postgres_url")
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    Row.metadata.drop_all(engine)
    engine.dispose()
    return url


@pytest.fixture
def store(database_url):
    engine = open_database(database_url)
    yield JobStore(engine)
    engine.dispose()
