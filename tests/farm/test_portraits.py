"""What may be a source portrait, and how several travel."""

from __future__ import annotations

import io
import zipfile

import pytest

from farm.errors import SourceRefused
from farm.portraits import MAX_PICTURES, check_portrait, packed

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


@pytest.fixture
def directory(tmp_path):
    for name in ("b.png", "a.png", ".hidden"):
        (tmp_path / name).write_bytes(PNG + name.encode())
    return tmp_path


def test_one_picture_travels_as_it_is(directory):
    check_portrait(directory / "a.png")
    assert packed(directory / "a.png") == PNG + b"a.png"


def test_a_directory_travels_as_its_pictures_by_name_and_always_the_same(directory):
    check_portrait(directory)
    first = packed(directory)
    (directory / "a.png").touch()
    assert packed(directory) == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.namelist() == ["a.png", "b.png"]
        assert archive.read("b.png") == PNG + b"b.png"


def test_a_directory_with_something_else_in_it_is_refused_by_that_name(directory):
    (directory / "notes.txt").write_text("not a face")
    with pytest.raises(SourceRefused, match=r"notes\.txt is not a picture"):
        check_portrait(directory)


def test_too_many_pictures_are_refused(directory):
    for number in range(MAX_PICTURES):
        (directory / f"{number}.png").write_bytes(PNG)
    with pytest.raises(SourceRefused, match=f"holds {MAX_PICTURES + 2} files"):
        check_portrait(directory)
