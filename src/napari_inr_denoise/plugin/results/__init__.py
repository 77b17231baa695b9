"""Finished results and the layers that show them.

`ResultLayer` shows the image during a run. `Finished` holds a result, its source and
its layer, and changes the strength. `AtStrength` and `SplitArray` are lazy arrays that
compute what napari displays. `SplitLine` is the line on the canvas.

To add a view, name it in `views`, offer it in `views_of`, return its data and layer
keywords in `view_layer`, and add its button to `sections.result_section`:

    data, keywords = view_layer(finished, RESIDUAL)
    viewer.add_image(data, **keywords)
"""
