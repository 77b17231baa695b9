"""Work in threads, with Stop and a queue."""
