"""Heads: what the last layer's numbers mean, the loss on them, and its gradient."""
