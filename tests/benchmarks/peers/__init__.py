"""The project beside the programs that people use, on the same images.

`python -m tests.benchmarks.peers FOLDER` makes an environment for each peer from the
package index, denoises each image with each method in a process of its own, writes what
came out into FOLDER, and prints the table. What is in FOLDER is not measured again, so
that a run can be continued.

- `catalogue`: the methods, what their environments hold, and what they need to be told.
- `environments`: makes the environments.
- `cases`: the images.
- `measure`: one method on one image.
- `store`: the folder of results.
- `table`, `strips`: Markdown and pictures from that folder.
- `runners`: run in the peers' environments, by file; they import numpy, the peer and
  each other, and nothing of the project. A new peer is a file there and an entry of
  the catalogue.
"""
