"""Planes with correlated noise, transformed so that it is white.

`flat_spectrum` takes back a filter that made the noise oscillate, and `coarse_grid`
leaves out high frequencies without structure. `whitened` chooses, and `white_plane` has
what they share.
"""
