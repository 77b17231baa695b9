"""The part of a layer to denoise: its scope, its region, and its place.

`take_source` in `layer_source` turns a layer, a scope and a region into a
`LayerSource` with all that a run and its result layer need. A region is the box around
shapes, or labelled pixels (`region`). What the viewer displays is in `displayed`, and
the pixels of one layer in those of another in `transforms`; `lazy_crop` reads nothing
before it is indexed. `part_under` finds the part that a saved result was made of.

To add a scope, name it in `scope.SCOPES`, select its part in `take_source`, and give
its mode in `scope.mode_of`:

    source = take_source(layer, viewer.dims, STACK)
    image = source.masked()
"""
