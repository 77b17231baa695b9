"""The noise of an image, from the image alone."""
