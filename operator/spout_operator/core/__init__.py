"""Everything that is decided: pure, standard library only, no clock, no I/O."""
