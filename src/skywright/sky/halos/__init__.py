"""Dark matter halos, what is inside them, and the galaxies that belong to them."""
