-- Each new value restarts the spout once, and Pachyderm keeps the marker. Each edit creates a new generation, so this
-- value is new. A second click before the screen is up to date repeats the same value and causes no second restart.
obj.spec.restartNonce = "generation-" .. obj.metadata.generation
return obj
