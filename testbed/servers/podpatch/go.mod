module spout-operator.io/testbed/podpatch

go 1.26.0

// What pachd 1.13.4 requires (its go.mod): the version that applies a pipeline's podPatch.
require github.com/evanphx/json-patch v4.5.0+incompatible

require github.com/pkg/errors v0.9.1 // indirect
