"""Parts of the panel that know layers, settings and reports.

`LayerChoice`, `RegionChoice` and `DeviceChoice` are magicgui choices that fill
themselves; `PresetChoice` and `AxesRow` are rows of buttons. `messages` and
`folder_messages` hold all sentences about runs and need neither Qt nor torch.

To add a row to the panel, see `sections`.
"""
