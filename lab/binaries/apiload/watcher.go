package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// event is a line of a watch; the object of an ERROR is a failure.
type event struct {
	Type   string `json:"type"`
	Object object `json:"object"`
}

// watch follows all objects as an informer does until the context ends: it lists once, watches from
// there, begins again after what it saw, and lists again when that is too old.
func (client *Client) watch(stopping context.Context) {
	var version int64
	for ; stopping.Err() == nil; client.restAfterFailure(stopping) {
		if version == 0 {
			record, _ := client.list()
			version = record.Version
		}
		if version != 0 {
			version = client.watchFrom(stopping, version)
		}
	}
}

func (client *Client) restAfterFailure(stopping context.Context) {
	select {
	case <-stopping.Done():
	case <-time.After(client.load.Pause):
	}
}

// watchFrom makes one watch; it returns where the next is to begin, 0 when nobody remembers that.
func (client *Client) watchFrom(stopping context.Context, version int64) int64 {
	ctx, cancel := context.WithCancel(stopping)
	defer cancel()
	// The patience is for the beginning of an answer: a watch has no end.
	impatience := time.AfterFunc(client.load.Patience, cancel)
	path := fmt.Sprintf("?watch=true&allowWatchBookmarks=true&resourceVersion=%d&labelSelector=%s",
		version, url.QueryEscape(label))
	begin := time.Now()
	response, err := client.send(ctx, "GET", path, nil)
	opened := client.note(opWatch, begin, version)
	if err == nil {
		defer response.Body.Close()
		opened.Status = response.StatusCode
		if opened.Status != http.StatusOK {
			err = errors.New(response.Status)
		}
	}
	if err != nil {
		opened.Error = shortened(err.Error())
	}
	client.load.recorder.add(opened)
	if err != nil || !impatience.Stop() {
		if opened.Status == http.StatusGone {
			return 0
		}
		return version
	}

	last, code, err := client.follow(response.Body, version)
	ended := client.note(opWatchEnd, begin, last)
	ended.Status = code
	if err != nil && stopping.Err() == nil {
		ended.Error = shortened(err.Error())
	}
	client.load.recorder.add(ended)
	if code == http.StatusGone {
		return 0
	}
	return last
}

// follow records events until the watch ends: the last version, and the code of an ERROR.
func (client *Client) follow(body io.Reader, last int64) (int64, int, error) {
	stream := json.NewDecoder(body)
	for {
		var seen event
		if err := stream.Decode(&seen); errors.Is(err, io.EOF) {
			return last, http.StatusOK, nil
		} else if err != nil {
			return last, http.StatusOK, err
		}
		if seen.Type == "ERROR" {
			return last, seen.Object.Code, errors.New(seen.Object.Message)
		}
		last = seen.Object.version()
		record := client.note(opEvent, time.Now(), last)
		record.Key = seen.Object.Metadata.Name
		switch seen.Type {
		case "BOOKMARK":
			record.Op = opBookmark
		case "DELETED":
		default:
			record.Value = seen.Object.Data["n"]
		}
		client.load.recorder.add(record)
	}
}

// note is a record of something that began then and is over now.
func (client *Client) note(op string, begin time.Time, version int64) Record {
	return Record{
		Client:  client.name,
		Kind:    client.kind,
		Op:      op,
		Version: version,
		Start:   client.load.recorder.unix(begin),
		Seconds: time.Since(begin).Seconds(),
	}
}
