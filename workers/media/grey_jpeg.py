"""Grey pictures as JPEGs of one channel: FFmpeg's encoder makes none, so OpenCV's does."""

from __future__ import annotations

from collections.abc import Iterator

import cv2

from broker.framing import PacketRecord, StreamHeader, frame_end, frame_header, frame_packet
from broker.messages import EncodeSpec
from workers.errors import EncodeFailed
from workers.frames import Frame
from workers.media.pictures import planes_of

_FORMAT = "gray"


class GreyJpegEncoder:
    """Encodes the one frame of a picture's segment, as `workers.media.encode.Encoder` does others."""

    def __init__(self, spec: EncodeSpec, header: StreamHeader) -> None:
        """Take the spec, whose options say `quality`, 0..100, and the input segment's header."""
        self._options = [cv2.IMWRITE_JPEG_QUALITY, int(spec.options["quality"])]
        self._input = header
        self._num_frames = 0

    def encode(self, frame: Frame) -> Iterator[bytes]:
        """Yield what the segment gains by the frame: its luma, with all 256 levels.

        Raises:
            EncodeFailed: the encoder refuses it.
        """
        picture = frame.picture
        if picture.format.name != _FORMAT:
            picture = picture.reformat(format=_FORMAT)
        try:
            done, content = cv2.imencode(".jpg", planes_of(picture)[0], self._options)
        except cv2.error as error:
            raise EncodeFailed(f"OpenCV's JPEG encoder: {error}") from error
        if not done:
            raise EncodeFailed("OpenCV's JPEG encoder gave nothing back")
        self._num_frames += 1
        yield frame_header(self._header(picture.width, picture.height, frame.num_faces))
        index = frame.index
        yield frame_packet(
            PacketRecord(pts=index, dts=index, duration=1, data=content.tobytes(), is_keyframe=True)
        )

    def finish(self) -> Iterator[bytes]:
        """Yield the rest of the segment.

        Raises:
            EncodeFailed: no frame was given.
        """
        if self._num_frames == 0:
            raise EncodeFailed("there was no frame to encode")
        yield frame_end(self._num_frames)

    def _header(self, width: int, height: int, num_faces: int) -> StreamHeader:
        return StreamHeader(
            codec="mjpeg",
            width=width,
            height=height,
            pix_fmt=_FORMAT,
            time_base=self._input.time_base,
            name=self._input.name,
            num_faces=num_faces,
            start=self._input.start,
            pts=self._input.pts,
        )
