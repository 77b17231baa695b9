"""Parts of the panels: choices, the plot, the table, dialogs and messages.

A choice is a magicgui widget that fills itself (`PresetChoice`, `DeviceChoice`,
`RegionChoice`). `messages` and `folder_messages` hold all sentences about runs and need
neither Qt nor torch. `tooltips` has the tooltip of each control by its attribute name.

To add a row to the denoising widget, create the control in `widgets.denoise_form`, add
it to `_rows` or `_choices` there, and add its tooltip to `tooltips.DENOISE_TIPS`.
"""
