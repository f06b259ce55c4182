package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	// A history whose unknown writes are bounded takes milliseconds.
	searchTimeout = 2 * time.Minute
	mostExamples  = 10
)

// Verdict is what the records say of the cluster.
type Verdict struct {
	Linearizable           bool     `json:"linearizable"`
	Undecided              int      `json:"undecided"` // objects whose search took too long
	Objects                int      `json:"objects"`
	CheckedOperations      int      `json:"checked_operations"`
	UnknownWrites          int      `json:"unknown_writes"`
	LostAcknowledgedWrites int      `json:"lost_acknowledged_writes"`
	StaleReads             int      `json:"stale_reads"`
	NotReadFinally         int      `json:"not_read_finally"` // objects: whether writes are lost is not known
	WatchedEvents          int      `json:"watched_events"`
	MissedEvents           int      `json:"missed_events"`
	ReorderedEvents        int      `json:"reordered_events"`
	Examples               []string `json:"examples"` // sentences on the first of what is wrong
}

func (verdict *Verdict) good() bool {
	return verdict.Linearizable && verdict.LostAcknowledgedWrites+verdict.StaleReads+
		verdict.NotReadFinally+verdict.MissedEvents+verdict.ReorderedEvents == 0
}

func (verdict *Verdict) complain(format string, values ...any) {
	if len(verdict.Examples) < mostExamples {
		verdict.Examples = append(verdict.Examples, fmt.Sprintf(format, values...))
	}
}

// register is the model of an object: a read returns what was written last.
var register = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		one := input.(operation)
		if one.write {
			return true, one.value
		}
		return state == one.value, state
	},
}

func check(records []Record) Verdict {
	verdict := Verdict{Linearizable: true, Examples: []string{}}
	byObject := histories(records)
	for _, name := range slices.Sorted(maps.Keys(byObject)) {
		verdict.judgeObject(name, byObject[name])
	}
	verdict.judgeWatches(records)
	return verdict
}

func (verdict *Verdict) judgeObject(name string, whole []operation) {
	verdict.Objects++
	for _, one := range whole {
		if one.write && !one.acknowledged {
			verdict.UnknownWrites++
		}
	}
	history := bounded(whole)
	verdict.CheckedOperations += len(history)
	switch linearizability(narrowed(history)) {
	case porcupine.Ok:
	case porcupine.Illegal:
		verdict.Linearizable = false
		verdict.complain("%s: no order of its writes explains what was read", name)
	case porcupine.Unknown:
		verdict.Linearizable = false
		verdict.Undecided++
		verdict.complain("%s: the search for an order of its writes took too long", name)
	}
	verdict.countLostAndStale(name, history)
}

func linearizability(history []operation) porcupine.CheckResult {
	operations := make([]porcupine.Operation, len(history))
	for number, one := range history {
		operations[number] = porcupine.Operation{
			ClientId: one.client, Input: one, Call: one.call, Return: one.finish,
		}
	}
	return porcupine.CheckOperationsTimeout(register, operations, searchTimeout)
}

// countLostAndStale says what kind of damage there is, as far as it is certain. Lost is an
// acknowledged write that the last read contradicts, or after which a later write got a version
// that is not greater. Stale is another read that returned less than was certain when it began.
func (verdict *Verdict) countLostAndStale(name string, history []operation) {
	// What nobody wrote is porcupine's to judge; "" is there from the beginning.
	source := map[string]operation{"": {}}
	var writes, reads []operation
	var last *operation
	for number, one := range history {
		if one.write {
			source[one.value] = one
			writes = append(writes, one)
			continue
		}
		reads = append(reads, one)
		if one.final {
			last = &history[number]
		}
	}
	contradicts := func(read, write operation) bool {
		origin, ok := source[read.value]
		return ok && origin.finish < write.call && write.finish < read.call
	}

	if last == nil {
		verdict.NotReadFinally++
		verdict.complain("%s: it was not read in the end", name)
	}
	var kept []operation
	for _, write := range writes {
		lost := last != nil && contradicts(*last, write)
		for _, later := range writes {
			undone := write.version > 0 && later.version > 0 && later.version <= write.version
			lost = lost || undone && later.call > write.finish
		}
		if write.acknowledged && lost {
			verdict.LostAcknowledgedWrites++
			verdict.complain("%s: the acknowledged write of %q is lost", name, write.value)
		} else {
			kept = append(kept, write)
		}
	}
	for _, read := range reads {
		newer := slices.IndexFunc(kept, func(one operation) bool { return contradicts(read, one) })
		if newer >= 0 && !read.final {
			verdict.StaleReads++
			verdict.complain("%s: a read returned %q after the write of %q had ended",
				name, read.value, kept[newer].value)
		}
	}
}
