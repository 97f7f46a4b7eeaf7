"""Where published networks want the five landmarks in their crops, as shares of the crop's side.

Eyes, nose, mouth corners; image-left first. The numbers are facts of the networks' training: ArcFace's
template (Deng et al. 2019) in its two forms, the FFHQ one (Karras et al. 2019), and those derived from them,
as published with facefusion 3 (`face_helper.WARP_TEMPLATE_SET`).
"""

from __future__ import annotations

import numpy as np

from workers.face.align import Points

TEMPLATES: dict[str, tuple[tuple[float, float], ...]] = {
    "arcface-112-v1": (
        (0.35473214, 0.45658929),
        (0.64526786, 0.45658929),
        (0.50000000, 0.61154464),
        (0.37913393, 0.77687500),
        (0.62086607, 0.77687500),
    ),
    "arcface-112-v2": (
        (0.34191607, 0.46157411),
        (0.65653393, 0.45983393),
        (0.50022500, 0.64050536),
        (0.37097589, 0.82469196),
        (0.63151696, 0.82325089),
    ),
    "arcface-128": (
        (0.36167656, 0.40387734),
        (0.63696719, 0.40235469),
        (0.50019687, 0.56044219),
        (0.38710391, 0.72160547),
        (0.61507734, 0.72034453),
    ),
    "ffhq-512": (
        (0.37691676, 0.46864664),
        (0.62285697, 0.46912813),
        (0.50123859, 0.61331904),
        (0.39308822, 0.72541100),
        (0.61150205, 0.72490465),
    ),
    "mtcnn-512": (
        (0.36562865, 0.46733799),
        (0.63305391, 0.46585885),
        (0.50019127, 0.61942959),
        (0.39032951, 0.77598822),
        (0.61178945, 0.77476328),
    ),
}


def landmarks_of(template: str, side_px: int) -> Points:
    """Return where the landmarks (5, 2) lie in a crop of `side_px`, in pixels."""
    return np.asarray(TEMPLATES[template], np.float32) * np.float32(side_px)
