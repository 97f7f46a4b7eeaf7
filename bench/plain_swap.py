"""A video swapped the plain way: one loop over OpenCV, insightface's INSwapper and the ffmpeg program."""

from __future__ import annotations

import contextlib
import functools
import io
import subprocess
import time
import warnings
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from insightface.app.common import Face
from insightface.model_zoo.inswapper import INSwapper

from workers.face.pyramid import Pyramid, shrunk
from workers.face.track import Finder
from workers.models.openvino_runner import OpenVinoRunner
from workers.swappers.following import enlarged
from workers.swappers.portraits import choice, decoded, faces_in

#: A crop of noise, and a source's embedding, of length 1.
FED = {
    "target": np.random.default_rng(0).random((1, 3, 128, 128), np.float32),
    "source": np.full((1, 512), 512**-0.5, np.float32),
}


def session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def speed(network: onnxruntime.InferenceSession | OpenVinoRunner, runs: int) -> float:
    """Return crops per second of a network by itself."""
    run = network.run if isinstance(network, OpenVinoRunner) else functools.partial(network.run, None)
    run(FED)
    began = time.perf_counter()
    for _ in range(runs):
        run(FED)
    return runs / (time.perf_counter() - began)


class PlainLoop:
    """Everything is loaded once; `render` is the loop alone."""

    def __init__(self, network: Path, finder: Finder, *, threads: int) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            self._swapper = INSwapper(str(network), session(network, threads))
        self._finder = finder
        self._threads = threads

    def render(self, path: Path, portrait: Path, output: Path) -> float:
        """Swap every face of a video; return frames per second, the encoder's end included."""
        source = self._source(portrait)
        began, count = time.perf_counter(), 0
        capture = cv2.VideoCapture(str(path))
        encoder = self._encoder(capture, output)
        assert encoder.stdin is not None
        while True:
            is_there, frame = capture.read()
            if not is_there:
                break
            encoder.stdin.write(self._swapped(frame, source).tobytes())
            count += 1
        encoder.stdin.close()
        assert encoder.wait() == 0
        return count / (time.perf_counter() - began)

    def _swapped(self, frame: np.ndarray, source: Face) -> np.ndarray:
        small, factor = shrunk(np.ascontiguousarray(frame[..., ::-1]), 1280)
        for face in self._finder.find(Pyramid(small)):
            if face.score >= 0.8:
                target = Face(kps=enlarged(face.landmarks, 1 / factor))
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", FutureWarning)
                    frame = self._swapper.get(frame, target, source, paste_back=True)
        return frame

    def _source(self, portrait: Path) -> Face:
        faces = faces_in(decoded(portrait.read_bytes()), self._finder)
        choice(faces, None)
        return Face(embedding=np.random.default_rng(0).standard_normal(512, np.float32))

    def _encoder(self, capture: cv2.VideoCapture, output: Path) -> subprocess.Popen[bytes]:
        size = f"{int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))}x{int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))}"
        rate = str(capture.get(cv2.CAP_PROP_FPS))
        raw = ("-f", "rawvideo", "-pix_fmt", "bgr24", "-s", size, "-r", rate, "-i", "-")
        coded = ("-c:v", "libx264", "-crf", "18", "-preset", "medium", "-pix_fmt", "yuv420p")
        command = ["ffmpeg", "-y", "-v", "error", *raw, *coded, "-threads", str(self._threads), str(output)]
        return subprocess.Popen(command, stdin=subprocess.PIPE)
