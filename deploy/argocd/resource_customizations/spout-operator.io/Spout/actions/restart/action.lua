-- Any new value restarts the spout once; the marker is kept.
local os = require("os")
obj.spec.restartNonce = os.date("!%Y-%m-%dT%H:%M:%SZ")
return obj
