"""Planes of a stack, or tiles of a large plane, that are denoised together.

`series` reads tiles with their context slices. `similarity` decides which planes these
are, and where a plane differs suddenly from them. `even_planes` reads a plane without
its defects, with the noise model of all (`shared_noise`), and divided by what makes its
noise the same as theirs (`plane_factors`, and the map of a smooth level). Correlated
noise may differ from plane to plane (`own_spectrum`). `stack_noise`
measures what the noise of planes has in common; `parts` are the parts that are read.

    series = Series(read, count, tiling, spacing_yx, reach=1)
    series.even_out()
    tile = series.member(number, tiling.tiles[0])
"""
