"""What a picture file holds beside its pixels: kept where the output can hold it, else named."""

from __future__ import annotations

import itertools
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from farm.album import files
from farm.album.exif import made_upright, orientation_of
from farm.album.picture import TURNS, BadPicture, Belongings
from farm.album.writing import fitted
from farm.album.xmp import SOURCE_TYPE, with_statement
from tests.farm.album import gallery

KINDS = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "tiff": ".tif"}
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    b'tiff:Orientation="6" dc:rights="mine"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
IPTC = b"\x1c\x02\x05\x00\x05Title"
STATEMENT = f"{gallery.STATEMENT}, by a test."


def an_exif(*, big: bool = False) -> bytes:
    """EXIF with an orientation, a maker, an exposure in its own directory, and a thumbnail."""
    thumbnail = Path(__file__).name.encode() * 3
    order = ">" if big else "<"

    def directory(at: int, entries: list[tuple[int, int, int, int]], following: int) -> bytes:
        body = b"".join(
            struct.pack(f"{order}HHI", tag, kind, count)
            + (struct.pack(f"{order}HH", value, 0) if kind == 3 else struct.pack(f"{order}I", value))
            for tag, kind, count, value in entries
        )
        return struct.pack(f"{order}H", len(entries)) + body + struct.pack(f"{order}I", following)

    # First directory at 8 (4 entries: 54 bytes), words at 62, EXIF's own at 74, the thumbnail's at 104.
    first = directory(
        8, [(0x010F, 2, 12, 62), (0x0112, 3, 1, 6), (0x0131, 2, 4, 0x61626300), (0x8769, 4, 1, 74)], 104
    )
    own = directory(74, [(0xA002, 3, 1, 900), (0xA003, 4, 1, 600)], 0)
    second = directory(104, [(0x0201, 4, 1, 134), (0x0202, 4, 1, len(thumbnail))], 0)
    head = (b"MM\0*" if big else b"II*\0") + struct.pack(f"{order}I", 8)
    return head + first + b"Phones Inc.\0" + own + second + thumbnail


def encoded(kind: str, **more: object) -> bytes:
    """A small picture of a kind, with nothing else in it."""
    suffix = KINDS[kind]
    done, data = cv2.imencode(suffix, gallery.smooth(24, 32))
    assert done
    return bytes(data)


def everything() -> Belongings:
    return Belongings(
        icc=gallery.PROFILE,
        exif=made_upright(an_exif(), (32, 24)),
        xmp=XMP,
        iptc=IPTC,
        comments=(b"a comment",),
        chunks=((b"tEXt", b"Author\0A. Nother"),),
        density=(11811, 11811),
    )


@pytest.mark.parametrize(("source", "target"), list(itertools.product(KINDS, KINDS)))
def test_what_both_kinds_hold_goes_over(source, target, tmp_path):
    """Written into one kind, read, written into another: Pillow finds it all; pixels stay."""
    plain = encoded(source)
    own, _ = fitted(everything(), files_picture(plain, tmp_path, source), source, STATEMENT)
    first = files.dressed(plain, source, own, STATEMENT)
    path = tmp_path / f"first{KINDS[source]}"
    path.write_bytes(first)
    found = files.belongings(first, source)
    again = encoded(target)
    kept, lost = fitted(found, files.look(path), target, STATEMENT)
    output = tmp_path / f"second{KINDS[target]}"
    output.write_bytes(files.dressed(again, target, kept, STATEMENT))
    (tmp_path / f"plain{KINDS[target]}").write_bytes(again)
    assert np.array_equal(gallery.pixels(output), gallery.pixels(tmp_path / f"plain{KINDS[target]}"))
    assert gallery.says_synthetic(output)
    with Image.open(output) as picture:
        assert picture.info["icc_profile"] == gallery.PROFILE
        assert picture.getexif()[gallery.MAKE] == "Phones Inc."
        assert picture.getexif().get(gallery.ORIENTATION, 1) == 1
        assert picture.getexif().get_ifd(0x8769)[0xA002] == 32
        xmp = picture.info["xmp"]
        assert b'dc:rights="mine"' in xmp
        assert b'tiff:Orientation="1"' in xmp
        assert xmp.count(SOURCE_TYPE.encode()) == 1
        if target != "webp" and source != "webp":
            assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    holds = {"jpeg", "tiff"}
    assert ("IPTC records" in lost) == (source in holds and target not in holds)
    assert (files.belongings(output.read_bytes(), target).iptc == IPTC) == (
        source in holds and target in holds
    )


def files_picture(data: bytes, tmp_path: Path, kind: str):
    path = tmp_path / f"look{KINDS[kind]}"
    path.write_bytes(data)
    return files.look(path)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("number", range(1, 9))
def test_orientations_are_those_that_others_see(number, big, tmp_path):
    """Pillow and OpenCV turn a picture as the table has it."""
    stored = gallery.noise(20, 30)
    exif = Image.Exif()
    exif.endian = ">" if big else "<"
    exif[gallery.ORIENTATION] = number
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    picture = files.look(tmp_path / "a.png")
    assert picture.orientation == number
    is_mirrored, degrees = TURNS[number]
    turned = np.rot90(np.fliplr(stored) if is_mirrored else stored, degrees // 90)
    from PIL import ImageOps

    with Image.open(tmp_path / "a.png") as seen:
        assert np.array_equal(np.asarray(ImageOps.exif_transpose(seen)), turned)
    assert picture.upright_size == turned.shape[1::-1]


@pytest.mark.parametrize("big", [False, True])
def test_exif_is_made_true_in_place(big):
    """Orientation 1, the output's size, no thumbnail of what was; every other byte stays where it was."""
    before = an_exif(big=big)
    assert orientation_of(before) == 6
    after = made_upright(before, (600, 900))
    assert after is not None
    assert len(after) == len(before)
    assert orientation_of(after) == 1
    assert Path(__file__).name.encode() not in after
    assert after[62:74] == b"Phones Inc.\0"
    read = Image.Exif()
    read.load(b"Exif\0\0" + after)
    assert (read.get_ifd(0x8769)[0xA002], read.get_ifd(0x8769)[0xA003]) == (600, 900)
    assert 0x0201 not in read.get_ifd(1)


@given(data=st.binary(max_size=200), cut=st.integers(0, 200))
def test_damaged_exif_is_no_error(data, cut):
    """Anything may stand there: it is read, or it is not."""
    for exif in (data, b"II*\0" + data, an_exif()[:cut] + data):
        assert 1 <= orientation_of(exif) <= 8
        made_upright(exif, (10, 10))


def test_an_older_word_on_the_source_gives_way():
    """A packet says a property once: that of a camera is replaced."""
    word = b"http://x/digitalCapture"
    attribute = XMP.replace(b' tiff:Orientation="6"', b' Iptc4xmpExt:DigitalSourceType="' + word + b'"')
    element = b"<Iptc4xmpExt:DigitalSourceType>" + word + b"</Iptc4xmpExt:DigitalSourceType>"
    inside = XMP.replace(b'"mine"/>', b'"mine">' + element + b"</rdf:Description>")
    for before in (attribute, inside, with_statement(XMP, STATEMENT)):
        packet = with_statement(before, STATEMENT)
        assert packet.count(STATEMENT.encode()) == 1
        assert packet.count(b"DigitalSourceType>") == 2
        assert b"digitalCapture" not in packet


def test_grey_profiles_stay_with_grey():
    """A profile of grey on a picture in colour would be refused by all who read it."""
    profile = gallery.PROFILE.replace(b"RGB ", b"GRAY")
    from farm.album.picture import Picture

    grey = Picture(kind="png", width=1, height=1, is_grey=True)
    for kind in ("tiff", "jpeg"):
        assert fitted(Belongings(icc=profile), grey, kind, STATEMENT)[0].icc == profile
    kept, lost = fitted(Belongings(icc=profile), grey, "webp", STATEMENT)
    assert kept.icc is None
    assert "of grey" in lost[0]


def test_what_is_too_long_for_jpeg_is_named():
    """A segment holds 64 KiB: the statement stays, what was there does not; a profile is divided."""
    from farm.album.picture import Picture

    colour = Picture(kind="png", width=1, height=1)
    large = Belongings(icc=gallery.PROFILE + bytes(200_000), xmp=XMP.replace(b"mine", b"m" * 70_000))
    kept, lost = fitted(large, colour, "jpeg", STATEMENT)
    assert any("too long" in name for name in lost)
    assert kept.xmp is not None
    assert b"mmm" not in kept.xmp
    data = files.dressed(encoded("jpeg"), "jpeg", kept, STATEMENT)
    assert files.belongings(data, "jpeg").icc == large.icc
    assert SOURCE_TYPE.encode() in data


@pytest.mark.parametrize("name", [*gallery.MAKERS, *gallery.LOSSY])
def test_every_cut_is_noticed_or_decoded(name, tmp_path):
    """A file cut anywhere in its first nine tenths is refused at once, whatever its kind."""
    path = gallery.make(tmp_path, name) / name
    data = path.read_bytes()
    for share in (0.02, 0.3, 0.6, 0.9):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(BadPicture):
            files.look(path)


@given(data=st.binary(max_size=300), name=st.sampled_from(sorted(KINDS)))
def test_nonsense_is_refused_in_words(data, name, tmp_path_factory):
    """Whatever follows a good beginning, there is no other error."""
    path = tmp_path_factory.getbasetemp() / f"nonsense{KINDS[name]}"
    whole = encoded(name)
    for content in (whole[:16] + data, whole[:40] + data, whole[:-9] + data):
        path.write_bytes(content)
        try:
            picture = files.look(path)
        except BadPicture:
            continue
        files.belongings(content, picture.kind)


def test_chunks_that_are_written_have_their_sums(tmp_path):
    """A PNG's every chunk carries a checksum; Pillow and libpng look at them."""
    data = files.dressed(encoded("png"), "png", everything(), STATEMENT)
    at = 8
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 4 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(body), name
        at += 12 + length
