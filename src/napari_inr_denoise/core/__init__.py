"""The method: numpy and torch; knows no file, no viewer and no command line."""
