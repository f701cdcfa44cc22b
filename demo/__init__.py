"""A simulated province: 43 departments, their unlike systems, and the truth of what was put into them."""
