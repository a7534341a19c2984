//go:build tools

// Names what is built from here, for `go mod tidy`.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
