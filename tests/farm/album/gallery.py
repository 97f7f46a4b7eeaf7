"""Picture files of every kind that is rendered, made by OpenCV and Pillow, and read by them again."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

ORIENTATION, MAKE = 0x0112, 0x010F
STATEMENT = "Synthetic: the faces in this picture were altered by AI"
SOURCE_TYPE = b"compositeWithTrainedAlgorithmicMedia"

Pixels = NDArray[np.unsignedinteger]

#: A profile's header, as far as anybody looks at it: its size, and that it is of RGB.
PROFILE = (132).to_bytes(4, "big") + bytes(8) + b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(92)


def noise(height: int, width: int, channels: int = 3, *, deep: bool = False, seed: int = 0) -> Pixels:
    """Return random samples (H, W, channels), or (H, W) of one channel."""
    kind = np.uint16 if deep else np.uint8
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, np.iinfo(kind).max + 1, shape, kind)


def smooth(height: int, width: int) -> Pixels:
    """Return a soft picture (H, W, 3), which lossy coding hardly changes."""
    return np.asarray(cv2.resize(noise(4, 5), (width, height), interpolation=cv2.INTER_CUBIC))


#: Names, and how each is made: lossless kinds from noise, so that a single changed sample shows.
MAKERS = {
    "grey.png": lambda path: cv2.imwrite(path, noise(40, 50, 1)),
    "grey16.png": lambda path: cv2.imwrite(path, noise(40, 50, 1, deep=True)),
    "rgb.png": lambda path: cv2.imwrite(path, noise(41, 51)),
    "rgba.png": lambda path: cv2.imwrite(path, noise(40, 50, 4)),
    "rgb16.png": lambda path: cv2.imwrite(path, noise(40, 50, deep=True)),
    "rgba16.png": lambda path: cv2.imwrite(path, noise(40, 50, 4, deep=True)),
    "palette.png": lambda path: Image.fromarray(noise(40, 50)).quantize(32).save(path),
    "palette_clear.png": lambda path: Image.fromarray(noise(40, 50)).quantize(9).save(path, transparency=3),
    "grey_alpha.png": lambda path: Image.fromarray(noise(40, 50, 4)).convert("LA").save(path),
    "bits.png": lambda path: Image.fromarray(noise(40, 50, 1)).convert("1").save(path),
    "rgb.tif": lambda path: cv2.imwrite(path, noise(40, 50)),
    "rgb16.tif": lambda path: cv2.imwrite(path, noise(40, 50, deep=True)),
    "grey16.tif": lambda path: cv2.imwrite(path, noise(40, 50, 1, deep=True)),
    "rgba.tif": lambda path: Image.fromarray(noise(40, 50, 4)).save(path),
    "packed.tif": lambda path: Image.fromarray(noise(40, 50)).save(path, compression="tiff_adobe_deflate"),
    "lzw.tif": lambda path: Image.fromarray(noise(40, 50)).save(path, compression="tiff_lzw"),
    "fax.tif": lambda path: Image.fromarray(noise(40, 50, 1)).convert("1").save(path, compression="group4"),
    "strips.tif": lambda path: Image.fromarray(noise(400, 500)).save(path, strip_size=9000),
    "lossless.webp": lambda path: Image.fromarray(noise(40, 50)).save(path, lossless=True),
    "pixels.bmp": lambda path: cv2.imwrite(path, noise(40, 50)),
}
LOSSY = {
    "photo.jpg": lambda path: Image.fromarray(smooth(60, 81)).save(path, quality=95),
    "fine.jpg": lambda path: Image.fromarray(smooth(60, 80)).save(path, quality=95, subsampling=0),
    "progressive.jpeg": lambda path: Image.fromarray(smooth(60, 80)).save(path, progressive=True),
    "grey.jpg": lambda path: Image.fromarray(smooth(60, 80)).convert("L").save(path, quality=95),
    "clear.webp": lambda path: Image.fromarray(
        np.concatenate([smooth(60, 80), noise(60, 80, 1)[..., None]], axis=2)
    ).save(path, quality=90),
    "photo.webp": lambda path: Image.fromarray(smooth(60, 80)).save(path, quality=90),
}


def make(folder: Path, *names: str) -> Path:
    """Make a folder with pictures of those names."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (MAKERS | LOSSY)[name](str(folder / name))
    return folder


def pixels(path: Path) -> Pixels:
    """Return a picture's samples, as OpenCV reads them: all of its bits, its palette looked up."""
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert found is not None, path
    return np.asarray(found)


def says_synthetic(path: Path) -> bool:
    """Say whether Pillow shows the statement and IPTC's word for it."""
    with Image.open(path) as picture:
        told = [picture.info.get("Comment", ""), picture.info.get("comment", b"")]
        told += [picture.getexif().get(270, "")]
        xmp = picture.info.get("xmp", b"")
    words = [each.decode() if isinstance(each, bytes) else str(each) for each in told]
    is_plain = any(word.startswith(STATEMENT) for word in words) or picture.format == "WEBP"
    return is_plain and SOURCE_TYPE in xmp and STATEMENT.encode() in xmp


def phone_photo(path: Path, upright: Pixels, *, xmp: bytes = b"", **more: object) -> None:
    """Write a JPEG as a phone does: on its side, with an orientation that says so, and a profile."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE] = 6, "Phones Inc."
    extra = {"xmp": xmp} if xmp else {}
    Image.fromarray(np.rot90(upright).copy()).save(
        path, exif=exif, icc_profile=PROFILE, quality=95, subsampling=0, **extra, **more
    )


def texts() -> PngImagePlugin.PngInfo:
    """Return what somebody wrote about a PNG."""
    said = PngImagePlugin.PngInfo()
    said.add_text("Author", "A. Nother")
    return said
