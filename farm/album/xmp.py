"""XMP packets: the statement that a picture is synthetic, in the words that other programs look for."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

#: IPTC's word for a photograph of which parts were made by a trained model (IPTC Photo Metadata 2023.1,
#: "Digital Source Type"): what search engines and picture agencies read.
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

_EMPTY = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>'
    b'<?xpacket end="w"?>'
)
_END = b"</rdf:RDF>"

#: The input's own say on the same: a property may stand in a packet only once.
_SAID_BEFORE = re.compile(
    rb'\s*[\w-]+:DigitalSourceType="[^"]*"'
    rb"|<([\w-]+:DigitalSourceType|farm:Statement)>[^<]*</\1>"
)
_ORIENTATION = re.compile(rb'(tiff:Orientation(?:="|>))[1-8]')


def with_statement(xmp: bytes | None, statement: str) -> bytes:
    """Return the packet, or a new one, as it must be in a picture that is synthetic, and stands upright."""
    packet = _EMPTY if xmp is None or _END not in xmp else xmp
    packet = _ORIENTATION.sub(rb"\g<1>1", _SAID_BEFORE.sub(b"", packet))
    head, end, tail = packet.rpartition(_END)
    return head + _description(statement) + end + tail


def _description(statement: str) -> bytes:
    text = (
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:farm="urn:face-fusion-farm:1:">'
        f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>"
        f"<farm:Statement>{escape(statement)}</farm:Statement></rdf:Description>"
    )
    return text.encode()
