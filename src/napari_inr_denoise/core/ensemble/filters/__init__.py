"""Filters of the mean of the candidates: for a plane, a stack, a volume; and limits.

`post_filters` has the filters of planes and stacks by name, in their order, and
`volume_filters` those of volumes; the other modules hold one method each. To add one,
see `napari_inr_denoise.core.ensemble`.
"""
