module spout-operator.io/testbed/pachyderm-2

go 1.23

require github.com/pachyderm/pachyderm/v2 v2.12.2
