"""The command `inr-denoise` with its subcommands demo, run, noise and info.

`main` holds the commands, `options` their options and help. The other modules hold the
work of one command or its output: `demo`, `dry_run`, `installation` and `advice` (for
info), `progress_bar` and `summary`.

To add an option of run, add it to `options`, a parameter to `main.run` and a field to
`batch.options.RunOptions`, then update docs/pages/commands.md by
docs/scripts/commands.py. To add a command, add a function to `main`.

Example::

    inr-denoise run images --out results --preset fast --maps uncertainty

Nothing is imported here, and slow modules are imported inside the commands: `--help`
must not load torch.
"""
