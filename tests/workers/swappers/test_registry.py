"""Engines are opened by name."""

import subprocess
import sys

import pytest

from broker.messages import FuseSpec
from tests.workers.face.moving import frame_of, moving_picture
from workers.errors import UnknownEngine
from workers.frames import Frame
from workers.swappers import engine_names, open_swapper
from workers.swappers.contract import Source


def test_engines_answer_to_their_names():
    """Every listed engine opens, and calls itself what it was asked for by."""
    assert {"passthrough", "portrait"} <= set(engine_names())
    for name in engine_names():
        assert open_swapper(name).name == name


def test_unknown_engine_is_refused_with_the_list():
    """An unknown name is refused, and the message says which there are."""
    with pytest.raises(UnknownEngine, match=r"'nosuch'.*passthrough.*portrait") as refused:
        open_swapper("nosuch")
    assert refused.value.is_final


def test_passthrough_needs_no_torch():
    """Opening the pass-through engine loads neither torch nor OpenCV."""
    program = (
        "import sys; from workers.swappers import open_swapper; open_swapper('passthrough');"
        "sys.exit(bool({'torch', 'cv2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_passthrough_changes_nothing_and_drops_context():
    """The same frames come out, in order, less those that are context."""
    frames = [frame_of(moving_picture(i), i) for i in range(4)]
    frames[0].is_context = frames[3].is_context = True
    swapper, fuse = open_swapper("passthrough"), FuseSpec(engine="passthrough")
    swapper.warm()
    assert swapper.radius == 0
    assert swapper.prepare(b"no picture", fuse) == Source()
    out: list[Frame] = list(swapper.run(iter(frames), Source(), fuse))
    assert [frame is given for frame, given in zip(out, frames[1:3], strict=True)] == [True, True]
