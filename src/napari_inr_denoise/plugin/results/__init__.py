"""Finished results and the layers that show them.

`ResultLayer` shows the image during a run. `Finished` holds a result, its source and
its layer, and changes the strength. `AtStrength` and `SplitArray` are lazy arrays that
compute what napari displays.

To add a diagnostic layer, write a function in `diagnostic_layers` that returns data and
layer keywords of a `Finished`. Add a button to `widgets.denoise_form`, and connect it
in `widgets.after_run`:

    data, keywords = residual_layer(finished)
    viewer.add_image(data, **keywords)
"""
