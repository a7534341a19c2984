// Command flux does, with Flux's own libraries, what its kustomize-controller does with a Kustomization: it builds,
// applies, and waits until all is healthy. Once, and without a source-controller to bring the repository.
//
//	flux apply FILE NAME ROOT   the Kustomization NAME of FILE, of the repository at ROOT (which it writes to);
//	                            says what became of each object, and whether it came to be healthy
//	flux status FILE NAME       how Flux reads objects (a JSON array on standard input): an array of what kstatus says,
//	                            and what the Kustomization's expressions say
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/engine"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	generator "github.com/fluxcd/pkg/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/normalize"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/yaml"
)

func main() {
	log.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 4 && args[0] == "apply":
		return apply(ctx, args[1], args[2], args[3])
	case len(args) == 3 && args[0] == "status":
		return statuses(ctx, args[1], args[2])
	}
	return fmt.Errorf("flux apply FILE NAME ROOT | flux status FILE NAME")
}

// find reads the Kustomization, as the typed object and as it was written.
func find(file, name string) (*kustomizev1.Kustomization, *unstructured.Unstructured, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	objects, err := ssautil.ReadObjects(bytes.NewReader(content))
	if err != nil {
		return nil, nil, err
	}
	for _, object := range objects {
		if object.GetKind() != kustomizev1.KustomizationKind || object.GetName() != name {
			continue
		}
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			return nil, nil, err
		}
		found := &kustomizev1.Kustomization{}
		return found, object, yaml.UnmarshalStrict(text, found)
	}
	return nil, nil, fmt.Errorf("%s has no Kustomization %q", file, name)
}

// apply follows kustomization_controller.go of kustomize-controller v1.9.6: generate, build, apply, checkHealth.
func apply(ctx context.Context, file, name, root string) error {
	kustomization, raw, err := find(file, name)
	if err != nil {
		return err
	}
	folder := filepath.Join(root, kustomization.Spec.Path)
	if _, err := generator.NewGenerator(root, *raw).WriteFile(folder); err != nil {
		return err
	}
	built, err := generator.SecureBuild(root, folder, false)
	if err != nil {
		return fmt.Errorf("kustomize build failed: %w", err)
	}
	text, err := built.AsYaml()
	if err != nil {
		return err
	}
	objects, err := ssautil.ReadObjects(bytes.NewReader(text))
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	manager, err := newManager(config, kustomization)
	if err != nil {
		return err
	}
	manager.SetOwnerLabels(objects, kustomization.GetName(), kustomization.GetNamespace())
	if err := normalize.UnstructuredList(objects); err != nil {
		return err
	}
	changes, err := manager.ApplyAllStaged(ctx, objects, ssa.DefaultApplyOptions())
	if err != nil {
		return err
	}
	for _, entry := range changes.Entries {
		fmt.Println(entry.String())
	}
	if kustomization.Spec.Wait {
		return manager.WaitForSetWithContext(ctx, changes.ToObjMetadataSet(), ssa.WaitOptions{
			Interval: 200 * time.Millisecond,
			Timeout:  kustomization.GetTimeout(),
			FailFast: true,
		})
	}
	return nil
}

func newManager(config *rest.Config, kustomization *kustomizev1.Kustomization) (*ssa.ResourceManager, error) {
	// No limit: a poll at the very deadline would be refused by the client's limiter, in words of its own, and the end
	// of the time be told as an error of that poll.
	config.QPS = -1
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(config, httpClient)
	if err != nil {
		return nil, err
	}
	kube, err := client.New(config, client.Options{Mapper: mapper, Scheme: runtime.NewScheme()})
	if err != nil {
		return nil, err
	}
	options := polling.Options{}
	if len(kustomization.Spec.HealthCheckExprs) > 0 {
		reader, err := cel.NewStatusReader(kustomization.Spec.HealthCheckExprs)
		if err != nil {
			return nil, err
		}
		options.CustomStatusReaders = []engine.StatusReader{reader(mapper)}
	}
	owner := ssa.Owner{Field: "kustomize-controller", Group: kustomizev1.GroupVersion.Group}
	return ssa.NewResourceManager(kube, polling.NewStatusPoller(kube, mapper, options), owner), nil
}

type verdict struct {
	Kstatus     status.Status `json:"kstatus"`
	Expressions status.Status `json:"expressions"`
}

func statuses(ctx context.Context, file, name string) error {
	kustomization, _, err := find(file, name)
	if err != nil {
		return err
	}
	var contents []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&contents); err != nil {
		return err
	}
	newReader, err := cel.NewStatusReader(kustomization.Spec.HealthCheckExprs)
	if err != nil {
		return err
	}
	reader := newReader(nil)
	verdicts := make([]verdict, 0, len(contents))
	for _, content := range contents {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(content); err != nil {
			return err
		}
		found, err := status.Compute(object)
		if err != nil {
			return err
		}
		byExpressions, err := reader.ReadStatusForObject(ctx, nil, object)
		if err != nil {
			return err
		}
		verdicts = append(verdicts, verdict{Kstatus: found.Status, Expressions: byExpressions.Status})
	}
	return json.NewEncoder(os.Stdout).Encode(verdicts)
}
