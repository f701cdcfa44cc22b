"""绩效考核: frozen inputs, published formulas, the ranking that anyone can recompute, its editions."""
