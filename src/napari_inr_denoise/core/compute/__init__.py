"""How work is done: devices, threads, optimizers, CUDA graphs."""
