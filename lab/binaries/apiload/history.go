package main

import (
	"math"
	"net/http"
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

// sighting is what all reads of a value say of when it was written.
type sighting struct {
	firstFinish, lastCall int64
}

// bounded gives unknown writes the times between which they must have taken effect, which keeps the
// search short. No two writes have the same value, so nothing is lost by that: one that nobody saw
// may as well never have happened, and is left out. One that was seen took effect before the first
// read that saw it ended; and it came after everything else that was over before a read that saw
// it began, because nothing came between.
func bounded(history []operation) []operation {
	seen := map[string]sighting{}
	for _, one := range history {
		if one.write {
			continue
		}
		before, ok := seen[one.value]
		if !ok {
			before = sighting{one.finish, one.call}
		}
		seen[one.value] = sighting{
			min(before.firstFinish, one.finish), max(before.lastCall, one.call),
		}
	}
	var kept []operation
	for _, one := range history {
		if one.write && !one.acknowledged {
			reads, ok := seen[one.value]
			if !ok {
				continue
			}
			for _, other := range history {
				if other.value != one.value && other.finish < reads.lastCall {
					one.call = max(one.call, other.call)
				}
			}
			one.finish = max(one.call, reads.firstFinish)
		}
		kept = append(kept, one)
	}
	return kept
}
