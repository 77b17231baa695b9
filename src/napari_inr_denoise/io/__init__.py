"""Files: values, axes, sizes and names; no torch, no viewer."""
