package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	clientsPerRegister = 3
	// Long-lived clients watch.
	watchersEvenly = "kept"
	watchersOddly  = "pinging"
)

// Settings of a load.
type Settings struct {
	Kubeconfig, Namespace, Out string
	Seed                       uint64
	Pause, Patience            time.Duration
	Counts                     map[string]int // clients by kind
	Watchers                   int
}

// Load is what the clients share.
type Load struct {
	Settings
	config   *rest.Config
	recorder *Recorder
	mutex    sync.Mutex
	created  []string // objects of acknowledged creations
}

// run loads the API server until the context ends, then waits for what is under way and reads every
// object a last time. The error says what could not be done at all; failed requests are none.
func run(stopping context.Context, settings Settings) (err error) {
	config, err := clientcmd.BuildConfigFromFlags("", settings.Kubeconfig)
	if err != nil {
		return err
	}
	config.UserAgent = fieldManager
	config.Timeout = settings.Patience
	recorder, err := newRecorder(settings.Out)
	if err != nil {
		return err
	}
	defer func() {
		if closed := recorder.close(); err == nil {
			err = closed
		}
	}()
	load := &Load{Settings: settings, config: config, recorder: recorder}
	registers, err := load.setUp()
	if err != nil {
		return err
	}
	if err := load.work(stopping, registers); err != nil {
		return err
	}
	return load.readFinally(registers)
}

// setUp makes the registers that the clients share.
func (load *Load) setUp() ([]string, error) {
	client, err := newClient(load, kindSetup, "next", 0)
	if err != nil {
		return nil, err
	}
	clients := 0
	for _, count := range load.Counts {
		clients += count
	}
	registers := make([]string, (clients+clientsPerRegister-1)/clientsPerRegister)
	for number := range registers {
		made := client.create("register-")
		if made.Error != "" {
			return nil, fmt.Errorf("no register could be made: %s", made.Error)
		}
		registers[number] = made.Key
	}
	return registers, nil
}

// work runs the clients until the context ends and their last requests have.
func (load *Load) work(stopping context.Context, registers []string) error {
	var steps []func(context.Context)
	kinds := make([]string, 0, len(load.Counts))
	for kind := range load.Counts {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		for number := range load.Counts[kind] {
			client, err := newClient(load, kind, kind, number)
			if err != nil {
				return err
			}
			// Neighbours are of one kind: a register is shared by clients of several.
			register := registers[len(steps)%len(registers)]
			random := rand.New(rand.NewPCG(load.Seed, uint64(len(steps))))
			steps = append(steps, func(ctx context.Context) { client.loop(ctx, register, random) })
		}
	}
	for number := range load.Watchers {
		kind := []string{watchersEvenly, watchersOddly}[number%2]
		watcher, err := newClient(load, kind, kind, number)
		if err != nil {
			return err
		}
		watcher.name = fmt.Sprintf("watch-%d", number)
		steps = append(steps, watcher.watch)
	}
	var working sync.WaitGroup
	load.mark(opBegin, kindSetup)
	for _, step := range steps {
		working.Go(func() { step(stopping) })
	}
	working.Go(func() {
		<-stopping.Done()
		load.mark(opEnd, kindFinal)
	})
	working.Wait()
	return nil
}

// mark records a moment of the load.
func (load *Load) mark(op, kind string) {
	load.recorder.add(Record{
		Client: "load", Kind: kind, Op: op, Start: load.recorder.unix(time.Now()),
	})
}

// readFinally records what is left of every object, once a read succeeds within the patience.
func (load *Load) readFinally(registers []string) error {
	client, err := newClient(load, kindFinal, "next", 0)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(load.Patience)
	for _, register := range registers {
		for client.read(register).Error != "" {
			if time.Now().After(deadline) {
				return fmt.Errorf("%s could not be read in the end", register)
			}
			time.Sleep(load.Pause)
		}
	}
	for !client.readAll(load.created) {
		if time.Now().After(deadline) {
			return errors.New("the objects could not be listed in the end")
		}
		time.Sleep(load.Pause)
	}
	return nil
}

// pauseFor waits for half to one and a half of the mean, or until the context ends.
func pauseFor(ctx context.Context, mean time.Duration, random *rand.Rand) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration((0.5 + random.Float64()) * float64(mean))):
	}
}
