"""The training loop, evaluation and checkpoints. The loop is bare: what varies comes in."""
