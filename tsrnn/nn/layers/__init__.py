"""Layers, a file each. The recurrent cells are in ``nn/cells``."""
