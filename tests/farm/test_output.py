"""Where an output grows: nobody's half of a file is anybody else's, and nothing is left over."""

from __future__ import annotations

import pytest

from farm.errors import OutputRefused, StaleTransition
from farm.output import discard_partial, growing, is_in_place, partial_path, put_in_place

JOB = "job"


def test_it_appears_whole_and_is_recognised(tmp_path):
    """The last step before the row says so: whoever comes after a crash sees that it is done."""
    output = tmp_path / "out.mov"
    with growing(output, JOB, "a") as partial:
        partial.write_bytes(b"all of it")
        assert not output.exists()
        put_in_place(partial, output, overwrite=False)
    assert is_in_place(output, JOB)
    discard_partial(output, JOB)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mov"]
    assert not is_in_place(output, JOB)


def test_a_sleeper_never_writes_the_file_of_its_successor(tmp_path):
    """Its own has lost its name; it cannot put it in place, and takes nothing of the other's with it."""
    output = tmp_path / "out.mov"
    with pytest.raises(StaleTransition), growing(output, JOB, "sleeper") as old:  # noqa: PT012 - it must raise through the block
        old.write_bytes(b"old")
        with growing(output, JOB, "successor") as new:
            new.write_bytes(b"new")
            assert not old.exists()
            put_in_place(new, output, overwrite=False)
        put_in_place(old, output, overwrite=False)
    assert output.read_bytes() == b"new"
    assert is_in_place(output, JOB)


def test_what_failed_leaves_nothing(tmp_path):
    output = tmp_path / "out.mov"
    with pytest.raises(RuntimeError), growing(output, JOB, "a") as partial:  # noqa: PT012 - it must raise through the block
        partial.write_bytes(b"half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_what_appeared_meanwhile_is_not_replaced(tmp_path):
    output = tmp_path / "out.mov"
    output.write_bytes(b"somebody's")
    with pytest.raises(OutputRefused), growing(output, JOB, "a") as partial:  # noqa: PT012 - it must raise through the block
        partial.write_bytes(b"ours")
        put_in_place(partial, output, overwrite=False)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"somebody's"]


def test_a_directory_that_is_gone_is_the_users_business(tmp_path):
    with (
        pytest.raises(OutputRefused, match="nothing can be written"),
        growing(tmp_path / "no" / "o.mov", JOB, "a"),
    ):
        pass
    assert not partial_path(tmp_path / "no" / "o.mov", JOB).exists()
