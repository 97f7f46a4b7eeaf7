"""Pickled weights are looked at and never run: what holds more than tensors is refused when it arrives."""

from __future__ import annotations

import functools
import io
import os
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from farm.errors import ModelRefused
from farm.modelstore.arrival import Introduction, add
from farm.modelstore.pickles import check_pickle

STATE = {
    "state_dict": OrderedDict(a=torch.zeros(2, 3), b=torch.nn.Parameter(torch.ones(4).half())),
    "step": 7,
}


class Evil:
    """Reading a pickle of it makes a file."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return (os.mkdir, (str(self.trace),))


@pytest.fixture(params=["archive", "older form"])
def save(request):
    is_new = request.param == "archive"
    return functools.partial(torch.save, _use_new_zipfile_serialization=is_new)


def test_tensors_and_tables_of_them_pass(tmp_path, save):
    save(STATE, tmp_path / "net.pth")
    check_pickle(tmp_path / "net.pth")


def test_a_pickle_that_would_run_something_is_refused_by_name_and_does_not(store, tmp_path, save):
    path, trace = tmp_path / "net.pth", tmp_path / "trace"
    save({**STATE, "evil": Evil(trace)}, path)
    with pytest.raises(ModelRefused, match=r"net\.pth holds more than tensors.*\.mkdir") as refused:
        add(store, path, Introduction(name="net", contract="damo"))
    assert refused.value.code == "unsafe-pickle" and "safetensors" in refused.value.hint
    assert not trace.exists() and not store.models()
    torch.load(path, weights_only=False)
    assert trace.exists(), "it would have"


def test_names_that_hide_are_refused(tmp_path, save):
    """A protocol in which names are put together while it runs: nothing tells what they will be."""
    save(STATE, tmp_path / "net.pth", pickle_protocol=4)
    with pytest.raises(ModelRefused, match="STACK_GLOBAL"):
        check_pickle(tmp_path / "net.pth")


def test_an_older_file_that_ends_as_an_archive_is_read_as_torch_reads_it(tmp_path):
    """The pickle in front is what torch would run, whatever hangs behind it."""
    trace, tail = tmp_path / "trace", io.BytesIO()
    torch.save(STATE, tail)
    path = tmp_path / "net.pth"
    torch.save(Evil(trace), path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes() + tail.getvalue())
    assert zipfile.is_zipfile(path)
    with pytest.raises(ModelRefused, match="mkdir"):
        check_pickle(path)


def test_a_second_pickle_in_the_archive_is_read_too(tmp_path):
    path = tmp_path / "net.pth"
    torch.save(STATE, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other/data.pkl", pickle.dumps(Evil(tmp_path / "trace"), protocol=2))
    with pytest.raises(ModelRefused, match="mkdir"):
        check_pickle(path)


@pytest.mark.parametrize("content", [b"<html>not found</html>", b"PK\x03\x04cut", b"\x80\x02cut"])
def test_what_torch_did_not_write_is_refused(tmp_path, content):
    path = tmp_path / "net.ckpt"
    path.write_bytes(content)
    with pytest.raises(ModelRefused, match=r"net\.ckpt is no whole file of torch\.save"):
        check_pickle(path)


def test_it_needs_no_torch(tmp_path):
    """The farm's machine may have none."""
    path = tmp_path / "net.pth"
    torch.save({"evil": Evil(tmp_path / "trace")}, path)
    code = (
        "import sys; sys.modules.update(torch=None, numpy=None)\n"
        "from pathlib import Path\n"
        "from farm.modelstore.pickles import check_pickle\n"
        f"check_pickle(Path({str(path)!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "farm.errors.ModelRefused: net.pth holds more than tensors" in done.stderr
    assert Path(tmp_path / "trace").exists() is False
