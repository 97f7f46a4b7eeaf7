"""Stores on both kinds of database, and a simulated farm with a clip to render."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from farm.database import open_database
from farm.models import Row
from farm.store import JobStore
from tests.farm.simulation import Simulation

SECONDS = 4


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


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """A clip with B-frames, an odd GOP length and sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    subprocess.run(
        [
            *(
                "ffmpeg",
                "-v",
                "error",
                "-f",
                "lavfi",
                "-i",
                f"testsrc2=size=96x64:rate=24:duration={SECONDS}",
            ),
            *(
                "-f",
                "lavfi",
                "-i",
                f"sine=duration={SECONDS}",
                "-c:a",
                "aac",
                "-c:v",
                "libx264",
                "-g",
                "17",
                path,
            ),
        ],
        check=True,
    )
    return path


@pytest.fixture
def simulation(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Simulation(home)


@pytest.fixture
def request_(clip, tmp_path):
    return {
        "input": str(clip),
        "output": str(tmp_path / "out.mov"),
        "engine": "passthrough",
        "lossless": True,
        "chunk_seconds": 1.0,
    }
