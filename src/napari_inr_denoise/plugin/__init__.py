"""The napari plugin; no other package uses napari or Qt.

The manifest `napari.yaml` names what napari loads: `reader`, `writer`, `sample_data`,
`open_files`, the panel, and `commands`. The packages, each of which uses only
those below it:

- `widgets`: the panel in the dock
- `sections`: its rows above, beside and below the button
- `controls`: choices, the table and messages of the panel
- `elements`: rows, buttons, chips and the plot, which know nothing of images
- `results`: finished results and the layers that show them
- `runs`: workers in threads, their queue and their end
- `layers`: layers as images: the part to denoise, and what files keep of them

To add a command to Layers > Filter, write a function that takes the viewer in
`commands`, and add it to `commands` and `menus` in `napari.yaml`. Import torch inside
functions only: it takes seconds, and the reader and the samples do not need it.
"""
