"""The panel `InrDenoiseWidget`: a tab for images, and one for folders of files.

The panel only connects its parts. The controls are in `sections`. These act on them,
and do not know each other:

- `BeforeRun`: follows the choices, and estimates noise, time and memory
- `RunController`: starts, shows and stops the runs of a queue
- `AfterRun` with `ShowControl`, `StrengthControl` and `SaveControl`: results
- `PanelMenu`: settings, command and script

To add something to do with a result, put its control into `ResultSection` and connect
it in `AfterRun`; to follow another choice, add it to `before_run.Choices`.
"""
