"""How departments write their cases down: one module a shape of system; `registry` knows them all."""
