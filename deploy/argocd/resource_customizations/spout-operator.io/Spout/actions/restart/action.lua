-- Any new value restarts the spout once; the marker is kept. Each edit makes a new generation, so this value is new,
-- and a second click on what is still on the screen is the same restart, not another one.
obj.spec.restartNonce = "generation-" .. obj.metadata.generation
return obj
