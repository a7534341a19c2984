module spout-operator.io/testbed/pachyderm

go 1.16

require github.com/pachyderm/pachyderm v1.13.4

replace (
	github.com/docker/docker => github.com/docker/docker v1.4.2-0.20191213113251-3452f136aa68
	google.golang.org/grpc => google.golang.org/grpc v1.26.0
	k8s.io/client-go => k8s.io/client-go v0.0.0-20190718183610-8e956561bbf5
	vbom.ml/util => github.com/fvbommel/util v0.0.0-20180919145318-efcd4e0f9787
)
