"""How clean the data of each organ is, a day: scores, their formula and their trend."""
