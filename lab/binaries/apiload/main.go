// apiload is a load of many independent clients on a Kubernetes API server, and the judge of what
// they saw: `run` records every request, `check` says whether the records are linearizable.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const garbagePercent = 800

func main() {
	verdict, err := command(os.Args[1:])
	switch {
	case err != nil:
		fmt.Fprintf(os.Stderr, "apiload: %v\n", err)
		os.Exit(2)
	case !verdict:
		os.Exit(1)
	}
}

// command runs a subcommand; false when the records are not as they must be.
func command(words []string) (bool, error) {
	if len(words) > 0 && words[0] == "run" {
		return true, runCommand(words[1:])
	}
	if len(words) == 2 && words[0] == "check" {
		return checkCommand(words[1])
	}
	return false, errors.New("usage: apiload run FLAGS | apiload check FILE")
}

func runCommand(words []string) error {
	settings := Settings{Counts: map[string]int{}}
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.StringVar(&settings.Kubeconfig, "kubeconfig", "", "file with the kubeconfig")
	flags.StringVar(&settings.Namespace, "namespace", "", "namespace of all objects")
	flags.StringVar(&settings.Out, "out", "", "file of the records")
	flags.Uint64Var(&settings.Seed, "seed", 0, "seed of the pauses")
	flags.DurationVar(&settings.Pause, "pause", 0, "mean pause of a client between two requests")
	flags.DurationVar(&settings.Patience, "patience", 0, "longest time of a request")
	flags.IntVar(&settings.Watchers, "watchers", 0, "number of watchers")
	seconds := flags.Float64("seconds", 0, "longest duration of the load; SIGTERM ends it before")
	flags.Func("clients", "kind=number,...", func(text string) error {
		return parseCounts(text, settings.Counts)
	})
	if err := flags.Parse(words); err != nil {
		return err
	}
	// What lives are a few MB; a connection per request makes garbage of which memory has room.
	debug.SetGCPercent(garbagePercent)
	// A second signal ends it at once.
	stopping, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(stopping, cancel)
	stopping, cancel = context.WithTimeout(stopping, time.Duration(*seconds*float64(time.Second)))
	defer cancel()
	return run(stopping, settings)
}

func parseCounts(text string, counts map[string]int) error {
	for _, part := range strings.Split(text, ",") {
		kind, number, _ := strings.Cut(part, "=")
		count, err := strconv.Atoi(number)
		if err != nil || transports[kind] == nil {
			return fmt.Errorf("%q is no kind=number", part)
		}
		counts[kind] = count
	}
	return nil
}

func checkCommand(path string) (bool, error) {
	records, err := readRecords(path)
	if err != nil {
		return false, err
	}
	verdict := check(records)
	return verdict.good(), json.NewEncoder(os.Stdout).Encode(verdict)
}
