"""The training loop, evaluation and checkpoints (floor 3). The loop is bare: what varies comes in."""
