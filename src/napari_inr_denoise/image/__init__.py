"""Arrays with axes, without torch: read, cut into tiles, put together."""
