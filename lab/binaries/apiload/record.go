package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// Operations of a record. The first four are requests of clients, the last two are of the load.
const (
	opWrite    = "write"
	opRead     = "read"
	opCreate   = "create"
	opDelete   = "delete"
	opList     = "list"
	opWatch    = "watch"     // a watch was asked for; version: where it was to begin
	opEvent    = "event"     // version: of the object; value: "" when it was deleted
	opBookmark = "bookmark"  // version: the watcher has seen everything up to there
	opWatchEnd = "watch-end" // seconds: how long it lasted; version: the last that it saw
	opBegin    = "begin"     // clients begin
	opEnd      = "end"       // clients begin no other request
)

// Kinds of records that no client of the load made.
const (
	kindSetup = "setup"
	kindFinal = "final"
)

// Record is a request, something that a watcher saw, or a moment of the load.
type Record struct {
	Client  string  `json:"client"`
	Kind    string  `json:"kind"`
	Op      string  `json:"op"`
	Key     string  `json:"key"`     // name of the object
	Value   string  `json:"value"`   // what was written, or what was read
	Version int64   `json:"version"` // the resourceVersion; 0 when it is not known
	Start   float64 `json:"start"`   // Unix time in seconds, of one steady clock
	Seconds float64 `json:"seconds"` // from the start until the whole answer was there
	Status  int     `json:"status"`  // of HTTP; 0 without an answer
	Error   string  `json:"error"`   // why it failed; "" when it did not
}

// Recorder writes records as they come, each at once: a line each, of JSON.
type Recorder struct {
	mutex  sync.Mutex
	file   *os.File
	origin time.Time
	failed error
}

func newRecorder(path string) (*Recorder, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	return &Recorder{file: file, origin: time.Now()}, err
}

// unix is a moment of the steady clock: steps of the machine's clock do not show in it.
func (recorder *Recorder) unix(moment time.Time) float64 {
	return float64(recorder.origin.UnixNano())/1e9 + moment.Sub(recorder.origin).Seconds()
}

func (recorder *Recorder) add(record Record) {
	line, err := json.Marshal(record)
	recorder.mutex.Lock()
	defer recorder.mutex.Unlock()
	if err == nil {
		_, err = recorder.file.Write(append(line, '\n'))
	}
	if recorder.failed == nil {
		recorder.failed = err
	}
}

// close says whether every record was written.
func (recorder *Recorder) close() error {
	if err := recorder.file.Close(); recorder.failed == nil {
		recorder.failed = err
	}
	return recorder.failed
}

func readRecords(path string) ([]Record, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var records []Record
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var record Record
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, len(records)+1, err)
		}
		records = append(records, record)
	}
	return records, lines.Err()
}
