package main

import (
	"math"
	"net/http"
	"slices"
)

// operation is a read or a write of one object, and the time within which it took effect.
type operation struct {
	client       int
	write        bool
	value        string // "" when there is no object
	call, finish int64  // nanoseconds
	acknowledged bool   // a write that was answered with success
	final        bool   // a read after the end of the load
	version      int64
}

// outcome of a request, as far as its client knows.
type outcome int

const (
	never    outcome = iota // it took no effect, and says nothing
	unknown                 // it may have taken effect, or may do so at any time
	happened                // it took effect before the answer
	absence                 // the answer says that there is no object
)

// outcomeOf is strict about what counts as refused: what says that it is not known, is not known.
func outcomeOf(record Record) outcome {
	read := record.Op == opRead
	switch {
	case record.Error == "":
		return happened
	case record.Status == http.StatusNotFound && (read || record.Op == opDelete):
		return absence
	case read:
		return never
	case record.Status == http.StatusRequestTimeout, record.Status == http.StatusTooManyRequests:
		return unknown
	case record.Status >= 400 && record.Status < 500:
		return never
	default:
		return unknown
	}
}

// histories are the operations on each object, in the order of the records. Creating an object
// writes its value, deleting it writes "".
func histories(records []Record) map[string][]operation {
	found := map[string][]operation{}
	clients := map[string]int{}
	for _, record := range records {
		switch record.Op {
		case opWrite, opRead, opCreate, opDelete:
		default:
			continue
		}
		known := outcomeOf(record)
		// A creation without an answer has no name, and nobody can ask for what it made.
		if known == never || record.Key == "" {
			continue
		}
		if _, ok := clients[record.Client]; !ok {
			clients[record.Client] = len(clients)
		}
		one := operation{
			client:  clients[record.Client],
			write:   record.Op != opRead && known != absence,
			value:   record.Value,
			call:    nanoseconds(record.Start),
			finish:  nanoseconds(record.Start + record.Seconds),
			final:   record.Kind == kindFinal,
			version: record.Version,
		}
		one.acknowledged = one.write && known == happened
		if known == unknown {
			one.finish = math.MaxInt64
		}
		found[record.Key] = append(found[record.Key], one)
	}
	return found
}

func nanoseconds(seconds float64) int64 {
	return int64(math.Round(seconds * 1e9))
}

// bounded gives unknown writes an end. No two writes have the same value, so that is exact: one that
// was seen took effect before the first read that saw it ended; one that nobody saw may as well
// never have happened, and is left out.
func bounded(history []operation) []operation {
	seen := map[string]int64{}
	for _, one := range history {
		if finish, ok := seen[one.value]; !one.write && (!ok || one.finish < finish) {
			seen[one.value] = one.finish
		}
	}
	var kept []operation
	for _, one := range history {
		if one.write && !one.acknowledged {
			finish, ok := seen[one.value]
			if !ok {
				continue
			}
			one.finish = max(one.call, finish)
		}
		kept = append(kept, one)
	}
	return kept
}

// narrowed gives the unknown writes of a bounded history a later beginning, without which a search
// takes time exponential in their number. Between a write and the last read that saw it nothing
// else took effect: so it came after everything else that was over before that read began.
func narrowed(history []operation) []operation {
	lastSeen := map[string]int64{}
	for _, one := range history {
		if !one.write {
			lastSeen[one.value] = max(lastSeen[one.value], one.call)
		}
	}
	kept := slices.Clone(history)
	for number, one := range history {
		if !one.write || one.acknowledged {
			continue
		}
		for _, other := range history {
			if other.value != one.value && other.finish < lastSeen[one.value] {
				one.call = max(one.call, other.call)
			}
		}
		// Of a history that contradicts itself there is nothing left between.
		one.finish = max(one.call, one.finish)
		kept[number] = one
	}
	return kept
}
