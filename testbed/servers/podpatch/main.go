// Command podpatch applies JSON patches as pachd 1.13.4 does (src/server/pps/server/worker_rc.go, workerPodSpec), with
// the same version of the same library.
//
// Reads JSON values {"doc": any JSON, "patch": JSON text} from standard input. Writes for each a line
// {"outcome": "ok", "doc": the patched document}, or {"outcome": "error" or "panic", "says": why}.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	jsonpatch "github.com/evanphx/json-patch"
)

type question struct {
	Doc   json.RawMessage `json:"doc"`
	Patch string          `json:"patch"`
}

type answer struct {
	Outcome string          `json:"outcome"`
	Says    string          `json:"says,omitempty"`
	Doc     json.RawMessage `json:"doc,omitempty"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(questions io.Reader, answers io.Writer) error {
	decoder := json.NewDecoder(bufio.NewReader(questions))
	buffered := bufio.NewWriter(answers)
	encoder := json.NewEncoder(buffered)
	for {
		var next question
		if err := decoder.Decode(&next); errors.Is(err, io.EOF) {
			return buffered.Flush()
		} else if err != nil {
			return err
		}
		if err := encoder.Encode(apply(next)); err != nil {
			return err
		}
	}
}

func apply(asked question) (result answer) {
	defer func() {
		if reason := recover(); reason != nil {
			result = answer{Outcome: "panic", Says: fmt.Sprint(reason)}
		}
	}()
	patch, err := jsonpatch.DecodePatch([]byte(asked.Patch))
	if err != nil {
		return answer{Outcome: "error", Says: err.Error()}
	}
	doc, err := patch.Apply(asked.Doc)
	if err != nil {
		return answer{Outcome: "error", Says: err.Error()}
	}
	return answer{Outcome: "ok", Doc: doc}
}
