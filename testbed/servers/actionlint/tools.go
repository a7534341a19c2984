//go:build tools

// Names what is built from here, for `go mod tidy`.
package tools

import _ "github.com/rhysd/actionlint/cmd/actionlint"
