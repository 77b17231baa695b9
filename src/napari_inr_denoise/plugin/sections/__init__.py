"""The sections of the panel: controls that show values and tell what the user does.

`InputSection` holds the choices, `RunBar` shows the run, `ResultSection` the result.
They know nothing of runs and viewers; the modules of `widgets` act on them.

To add a row, create its control here and add it to a `Form` with its label and tooltip.
"""
