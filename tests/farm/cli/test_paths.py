"""Paths that users give, as messages and farms see them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from farm.cli.options import JobOptions
from farm.config import absolute_path
from farm.requests import JobRequest


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A directory, and a link to one elsewhere."""
    (tmp_path / "a").mkdir()
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("b.mp4", "b.mp4"),
        ("a/../b.mp4", "b.mp4"),
        ("missing/../b.mp4", "b.mp4"),
        ("link/b.mp4", "link/b.mp4"),
        ("link/../b.mp4", "far/b.mp4"),
        ("a/..", ""),
    ],
)
def test_paths_only_go_down_and_lead_where_they_led(places, given, meant):
    assert absolute_path(Path(given)) == places / meant
    assert str(absolute_path(places / given)) == str(places / meant)


def test_what_the_command_line_takes_and_what_a_farm_takes_are_the_same_options():
    said = {field.name: field.default for field in dataclasses.fields(JobOptions)}
    taken = JobRequest.model_fields
    ours = {"work", "show_mask"}  # what commands of their own ask for: faces, preview
    assert said.keys() == taken.keys() - ours
    for name in said.keys() - {"input", "output"}:
        assert said[name] == taken[name].default


def test_a_request_names_its_files_that_way(places):
    options = JobOptions(
        input=Path("a/../in.mp4"),
        source=Path("a/../face.jpg"),
        output=Path("a/../out.mp4"),
    )
    request = options.request()
    told = [request.input, request.source, request.output]
    assert told == [str(places / name) for name in ("in.mp4", "face.jpg", "out.mp4")]
