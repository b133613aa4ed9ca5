"""How good it is: figures with their confidence, reports, and a gate that says yes or no."""
