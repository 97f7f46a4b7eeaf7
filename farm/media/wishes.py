"""What a user may ask of one output's encoding, and which encoder that means."""

from __future__ import annotations

from dataclasses import dataclass

from broker.framing import first_field
from farm.errors import BadInput
from farm.media.encoder_options import EncoderSettings
from farm.media.encoders import DEFAULT_SPEED, ENCODERS, HARDWARE, SOFTWARE, EncoderKind
from farm.media.info import StreamInfo

#: What is written where nobody says otherwise; WebM knows only its own.
DEFAULT_CODEC = "h264"
DEFAULT_CODEC_OF = {"webm": "vp9"}
LOSSLESS_CODEC = "ffv1"

#: `encoder`, beside an encoder's own name: in software (the same on every machine), or in a GPU's hardware
#: where all that is there has it.
AUTO, NVENC = "auto", "nvenc"

RATELESS_HINT = "leave it out: the size follows from the picture, and in ProRes from the profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodingWish:
    """What is asked of one output; None leaves the choice to the farm."""

    codec: str | None = None  # "h264", "hevc", "av1", "vp9", "prores", "ffv1"
    encoder: str = AUTO  # `AUTO`, `NVENC`, or one of `ENCODERS`
    lossless: bool = False
    crf: int | None = None  # constant quality, on the encoder's own scale
    bitrate: int | None = None  # bits a second, instead of constant quality
    speed: str = DEFAULT_SPEED  # one of `farm.media.encoders.SPEEDS`
    pix_fmt: str | None = None  # an FFmpeg pixel format; None: nearest to the input's
    gop: int | None = None  # frames between keyframes, at most
    profile: str | None = None  # ProRes only

    @property
    def is_continuous(self) -> bool:
        """Whether one encoder must see all frames: a rate is shared out over the whole of a video."""
        return self.bitrate is not None


NO_WISH = EncodingWish()


def choose_encoder(wish: EncodingWish, muxer: str) -> str:
    """Return the name, in `ENCODERS`, of the encoder that a wish means.

    Raises:
        BadInput: there is none of that name, or it cannot do what is asked; the hint says what can.
    """
    name = _named(wish, muxer)
    _check(wish, name, ENCODERS[name])
    return name


def settings_for(
    wish: EncodingWish, name: str, *, interval: int, is_small: bool, pix_fmt: str, video: StreamInfo
) -> EncoderSettings:
    """Return what an encoder is told; `interval` is the number of frames between keyframes by default."""
    kind = ENCODERS[name]
    return EncoderSettings(
        crf=None if wish.bitrate is not None else wish.crf if wish.crf is not None else kind.crf,
        bitrate=wish.bitrate,
        speed=wish.speed,
        interval=wish.gop or interval,
        lossless=wish.lossless,
        is_small=is_small,
        pix_fmt=pix_fmt,
        profile=wish.profile,
        light=video.light,
        fields=first_field(video.field_order),
    )


def _named(wish: EncodingWish, muxer: str) -> str:
    if wish.encoder not in {AUTO, NVENC}:
        if wish.encoder not in ENCODERS:
            raise BadInput(f"no such encoder: {wish.encoder}", hint=f"choose one of: {', '.join(ENCODERS)}")
        return wish.encoder
    codec = wish.codec or (LOSSLESS_CODEC if wish.lossless else DEFAULT_CODEC_OF.get(muxer, DEFAULT_CODEC))
    if codec not in SOFTWARE:
        raise BadInput(f"no such codec: {codec}", hint=f"choose one of: {', '.join(SOFTWARE)}")
    if wish.encoder == NVENC and codec not in HARDWARE:
        raise BadInput(
            f"NVENC does not write {codec}",
            hint=f"leave --encoder out, or choose --codec {', '.join(HARDWARE)}",
        )
    return (HARDWARE if wish.encoder == NVENC else SOFTWARE)[codec]


def _check(wish: EncodingWish, name: str, kind: EncoderKind) -> None:
    if wish.codec is not None and kind.codec != wish.codec:
        raise BadInput(f"{name} writes {kind.codec}, not {wish.codec}", hint="leave out --codec or --encoder")
    if wish.lossless and not kind.can_be_lossless:
        able = [other for other, its in ENCODERS.items() if its.can_be_lossless]
        raise BadInput(f"{name} cannot be lossless", hint=f"choose one of: {', '.join(able)}")
    if wish.crf is not None and wish.bitrate is not None:
        raise BadInput("a quality and a bit rate exclude each other", hint="leave out --crf or --bitrate")
    if wish.lossless and (wish.crf is not None or wish.bitrate is not None):
        raise BadInput(
            "what is lossless has no quality or bit rate", hint="leave out --lossless, or the other"
        )
    if wish.bitrate is not None and not kind.takes_bitrate:
        raise BadInput(f"{name} takes no bit rate", hint=RATELESS_HINT)
    if wish.crf is not None and not kind.is_lossless:
        _check_crf(wish.crf, name, kind)


def _check_crf(crf: int, name: str, kind: EncoderKind) -> None:
    if kind.crf is None:
        raise BadInput(f"{name} has no quality scale", hint=RATELESS_HINT)
    if not 0 <= crf <= kind.worst_crf:
        raise BadInput(
            f"{name} takes qualities from 0 to {kind.worst_crf}, not {crf}", hint="lower is better"
        )
