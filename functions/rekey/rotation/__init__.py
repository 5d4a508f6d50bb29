"""The steps of a rotation, each level-triggered: look at the world, do what is missing, say what remains."""
