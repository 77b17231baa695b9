"""The command `inr-denoise`."""
