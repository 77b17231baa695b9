"""An image from its first plane to its last."""
