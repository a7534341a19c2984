"""One operator process: its start and end, its leader election, its health."""
