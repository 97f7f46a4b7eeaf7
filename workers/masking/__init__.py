"""Which part of a face's crop is changed: boxes, outlines, and what installed segmentation networks see."""
