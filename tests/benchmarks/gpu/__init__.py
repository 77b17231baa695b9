"""All that a machine with a GPU is asked, in one command: see `run`."""
