"""What is taken from layers: the part to denoise, its region, axes, units and position.

`take_source` in `source` turns a layer, a scope and a region into a `LayerSource` with
all that a run and its result layer need. `to_record` and `layer_kwargs` convert layers
to image records and back, for the writer and the reader.

To add a scope, name it in `scope.SCOPES`, select its part in `source.take_source`, and
give its mode in `scope.mode_of`:

    source = take_source(layer, viewer.dims, STACK)
    image = source.masked()
"""
