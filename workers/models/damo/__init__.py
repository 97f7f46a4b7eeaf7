"""damo's face fusion network, as published: its own names for weights, its own arithmetic.

From "cv_unet-image-face-fusion_damo" (ModelScope, 2022): a dense motion network (Siarohin et al. 2019) bends
the target towards the fused jaw line, a UNet reads its attributes at eight scales, and a generator of
adaptive denormalisation blocks (FaceShifter, Li et al. 2019; positional norm, Li et al. 2019) paints the face
with the source's identity. Only inference is here; the weights are their publisher's.
"""
