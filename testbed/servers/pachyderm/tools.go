//go:build tools

package tools

import (
	_ "github.com/pachyderm/pachyderm/etc/worker"
	_ "github.com/pachyderm/pachyderm/src/server/cmd/pachctl"
	_ "github.com/pachyderm/pachyderm/src/server/cmd/pachd"
	_ "github.com/pachyderm/pachyderm/src/server/cmd/worker"
)
