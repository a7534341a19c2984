// Command argocd does, with Argo CD's own code, what it does with the resource customizations of its ConfigMap.
//
//	argocd FILE [ACTION]   FILE is a ConfigMap, or a patch of it; objects come as a JSON array on standard input.
//	                       Says of each its health and the actions that are offered, or what ACTION makes of it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	appv1 "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

type verdict struct {
	Health  string                     `json:"health"`
	Message string                     `json:"message"`
	Actions []appv1.ResourceAction     `json:"actions"`
	Result  *unstructured.Unstructured `json:"result,omitempty"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || len(args) > 2 {
		return fmt.Errorf("argocd FILE [ACTION]")
	}
	overrides, err := read(args[0])
	if err != nil {
		return err
	}
	var contents []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&contents); err != nil {
		return err
	}
	vm := lua.VM{ResourceOverrides: overrides}
	verdicts := make([]*verdict, 0, len(contents))
	for _, content := range contents {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(content); err != nil {
			return err
		}
		one, err := judge(vm, object, args[1:])
		if err != nil {
			return fmt.Errorf("%s: %w", object.GetName(), err)
		}
		verdicts = append(verdicts, one)
	}
	return json.NewEncoder(os.Stdout).Encode(verdicts)
}

// read takes the keys apart as settings.go of Argo CD does.
func read(file string) (map[string]appv1.ResourceOverride, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	config := corev1.ConfigMap{}
	if err := yaml.UnmarshalStrict(text, &config); err != nil {
		return nil, err
	}
	overrides := map[string]appv1.ResourceOverride{}
	for key, value := range config.Data {
		parts := strings.SplitN(strings.TrimPrefix(key, "resource.customizations."), ".", 2)
		if len(parts) != 2 {
			return nil, fmt.Errorf("%s: not a key of a resource customization: %s", file, key)
		}
		kind := strings.Replace(parts[1], "_", "/", 1)
		override := overrides[kind]
		switch parts[0] {
		case "health":
			override.HealthLua = value
		case "actions":
			override.Actions = value
		default:
			return nil, fmt.Errorf("%s: %s is not tried here", file, key)
		}
		overrides[kind] = override
	}
	return overrides, nil
}

func judge(vm lua.VM, object *unstructured.Unstructured, action []string) (*verdict, error) {
	health, err := lua.ResourceHealthOverrides(vm.ResourceOverrides).GetResourceHealth(object)
	if err != nil {
		return nil, err
	}
	discovery, err := vm.GetResourceActionDiscovery(object)
	if err != nil {
		return nil, err
	}
	offered, err := vm.ExecuteResourceActionDiscovery(object, discovery)
	if err != nil {
		return nil, err
	}
	found := &verdict{Health: string(health.Status), Message: health.Message, Actions: offered}
	for _, name := range action {
		definition, err := vm.GetResourceAction(object, name)
		if err != nil {
			return nil, err
		}
		impacted, err := vm.ExecuteResourceAction(object, definition.ActionLua, nil)
		if err != nil {
			return nil, err
		}
		if len(impacted) != 1 || impacted[0].K8SOperation != lua.PatchOperation {
			return nil, fmt.Errorf("%s: one patch was expected, found %v", name, impacted)
		}
		found.Result = impacted[0].UnstructuredObj
	}
	return found, nil
}
