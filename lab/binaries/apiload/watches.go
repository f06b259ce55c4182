package main

import (
	"maps"
	"slices"
)

// coverage of a watch: it claims to have told everything between two versions.
type coverage struct {
	client      string
	after, upTo int64
	seen        map[int64]bool
}

// judgeWatches counts events that a watcher should have seen, by what is known of versions from
// answers and from other watchers; and events out of their order. A watcher that had to list again
// has skipped what was before, and knows it.
func (verdict *Verdict) judgeWatches(records []Record) {
	known := map[int64]string{}
	open := map[string]*coverage{}
	var watches []*coverage
	for _, record := range records {
		switch record.Op {
		case opWrite, opCreate, opRead, opEvent:
			if record.Version > 0 && record.Key != "" {
				known[record.Version] = record.Key
			}
		}
		watch := open[record.Client]
		switch record.Op {
		case opWatch:
			if record.Error == "" {
				watch = &coverage{record.Client, record.Version, record.Version, map[int64]bool{}}
				open[record.Client] = watch
				watches = append(watches, watch)
			}
		case opBookmark:
			if watch != nil {
				watch.upTo = max(watch.upTo, record.Version)
			}
		case opEvent:
			if watch == nil {
				continue
			}
			verdict.WatchedEvents++
			if record.Version <= watch.upTo {
				verdict.ReorderedEvents++
				verdict.complain("%s: the event of version %d came after that of version %d",
					record.Client, record.Version, watch.upTo)
			}
			watch.upTo = max(watch.upTo, record.Version)
			watch.seen[record.Version] = true
		}
	}
	for _, watch := range watches {
		for _, version := range slices.Sorted(maps.Keys(known)) {
			if version > watch.after && version <= watch.upTo && !watch.seen[version] {
				verdict.MissedEvents++
				verdict.complain("%s: no event of version %d of %s",
					watch.client, version, known[version])
			}
		}
	}
}
