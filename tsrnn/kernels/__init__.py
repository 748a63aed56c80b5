"""Array functions that know no layer: lane vectors, activations, packing, random numbers, window gathering, updates."""
