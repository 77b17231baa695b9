"""The two panels: `InrDenoiseWidget` for layers, `FolderWidget` for folders of files.

`InrDenoiseWidget` only connects its parts, and the parts do not know the widget:

- `DenoiseForm`: the rows and their values
- `BeforeRun`: follows the choices, and estimates noise, time and memory
- `RunController`: starts, shows and stops the runs of a queue
- `AfterRun` with `StrengthControl` and `SplitView`: results

To add something to do with a result, put its control into the form and connect it in
`AfterRun`; to follow another choice, add it to `before_run.Choices`.
"""
