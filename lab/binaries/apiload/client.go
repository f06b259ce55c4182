package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	fieldManager = "apiload"
	label        = "apiload"
	// Requests of a round: reads and writes in turn, then an object is created and deleted.
	roundLength  = 20
	longestError = 200
	// As client-go's (rest/request.go).
	maxRetries = 10
)

// Client has connections of its own, and one request at a time.
type Client struct {
	load   *Load
	name   string
	kind   string
	http   *http.Client
	base   string // URL of the ConfigMaps
	number int    // of its last value
}

// object is what the load needs to know of an answer: of a ConfigMap, of a list, of a failure.
type object struct {
	Metadata struct {
		Name            string            `json:"name,omitempty"`
		GenerateName    string            `json:"generateName,omitempty"`
		ResourceVersion string            `json:"resourceVersion,omitempty"`
		Labels          map[string]string `json:"labels,omitempty"`
	} `json:"metadata"`
	Data    map[string]string `json:"data,omitempty"`
	Items   []object          `json:"items,omitempty"`
	Message string            `json:"message,omitempty"`
	Code    int               `json:"code,omitempty"`
}

func (object *object) version() int64 {
	number, _ := strconv.ParseInt(object.Metadata.ResourceVersion, 10, 64)
	return number
}

func newClient(load *Load, kind, transport string, number int) (*Client, error) {
	roundTripper, err := transports[transport](load.config)
	if err != nil {
		return nil, err
	}
	return &Client{
		load: load,
		name: fmt.Sprintf("%s-%d", kind, number),
		kind: kind,
		http: &http.Client{Transport: roundTripper},
		base: fmt.Sprintf("%s/api/v1/namespaces/%s/configmaps",
			strings.TrimRight(load.config.Host, "/"), load.Namespace),
	}, nil
}

// loop makes requests until the context ends; one that is under way is not given up for that.
func (client *Client) loop(stopping context.Context, register string, random *rand.Rand) {
	var own Record
	for step := 0; ; step++ {
		pauseFor(stopping, client.load.Pause, random)
		if stopping.Err() != nil {
			return
		}
		switch step % roundLength {
		case roundLength - 2:
			own = client.create("object-")
		case roundLength - 1:
			if own.Error == "" {
				client.delete(own.Key)
			}
		default:
			if step%2 == 0 {
				client.write(register)
			} else {
				client.read(register)
			}
		}
	}
}

func (client *Client) write(key string) Record {
	value := client.nextValue()
	body := object{Data: map[string]string{"n": value}}
	record, _ := client.ask(opWrite, "PATCH", "/"+key+"?fieldManager="+fieldManager, &body,
		Record{Key: key, Value: value})
	return record
}

func (client *Client) read(key string) Record {
	record, _ := client.ask(opRead, "GET", "/"+key, nil, Record{Key: key})
	return record
}

// create makes an object with a name that the API server chooses: no other run has it.
func (client *Client) create(prefix string) Record {
	value := client.nextValue()
	body := object{Data: map[string]string{"n": value}}
	body.Metadata.GenerateName = prefix
	body.Metadata.Labels = map[string]string{label: ""}
	record, _ := client.ask(opCreate, "POST", "?fieldManager="+fieldManager, &body,
		Record{Value: value})
	if record.Error == "" && client.kind != kindSetup {
		client.load.mutex.Lock()
		defer client.load.mutex.Unlock()
		client.load.created = append(client.load.created, record.Key)
	}
	return record
}

func (client *Client) delete(key string) {
	client.ask(opDelete, "DELETE", "/"+key, nil, Record{Key: key})
}

// list returns all objects of the load.
func (client *Client) list() (Record, object) {
	return client.ask(opList, "GET", "?labelSelector="+url.QueryEscape(label), nil, Record{})
}

// readAll records a read of each of these objects, all from one list; false when that failed.
func (client *Client) readAll(keys []string) bool {
	list, all := client.list()
	if list.Error != "" {
		return false
	}
	found := map[string]object{}
	for _, item := range all.Items {
		found[item.Metadata.Name] = item
	}
	for _, key := range keys {
		record := list
		record.Op, record.Key, record.Status = opRead, key, http.StatusNotFound
		record.Error, record.Version = "not found", 0
		if item, ok := found[key]; ok {
			record.Status, record.Error = http.StatusOK, ""
			record.Value, record.Version = item.Data["n"], item.version()
		}
		client.load.recorder.add(record)
	}
	return true
}

// nextValue is unique: no other client writes it, and this one once.
func (client *Client) nextValue() string {
	client.number++
	return fmt.Sprintf("%s/%d", client.name, client.number)
}

// ask makes one request and records it.
func (client *Client) ask(
	op, method, path string, body *object, record Record,
) (Record, object) {
	ctx, cancel := context.WithTimeout(context.Background(), client.load.Patience)
	defer cancel()
	record.Client, record.Kind, record.Op = client.name, client.kind, op
	begin := time.Now()
	status, answer, err := client.insist(ctx, method, path, body)
	record.Seconds = time.Since(begin).Seconds()
	record.Start = client.load.recorder.unix(begin)
	record.Status = status
	if err != nil {
		record.Error = shortened(err.Error())
	} else {
		record.Version = answer.version()
		if op == opRead {
			record.Value = answer.Data["n"]
		}
		if op == opCreate {
			record.Key = answer.Metadata.Name
		}
	}
	client.load.recorder.add(record)
	return record, answer
}

// insist comes back later where it is told to, as client-go does (rest/with_retry.go): so an API
// server that stops refuses what it does not begin any more.
func (client *Client) insist(
	ctx context.Context, method, path string, body *object,
) (status int, answer object, err error) {
	for attempt := 0; ; attempt++ {
		var later time.Duration
		status, later, answer, err = client.exchange(ctx, method, path, body)
		if later == 0 || attempt == maxRetries {
			return status, answer, err
		}
		select {
		case <-ctx.Done():
			return status, answer, err
		case <-time.After(later):
		}
	}
}

// exchange returns the status, 0 without an answer, and after how long to come back, 0 when nothing
// says so; an answer that is no success is an error.
func (client *Client) exchange(
	ctx context.Context, method, path string, body *object,
) (status int, later time.Duration, answer object, err error) {
	response, err := client.send(ctx, method, path, body)
	if err != nil {
		return 0, 0, answer, err
	}
	defer response.Body.Close()
	status = response.StatusCode
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return status, 0, answer, err
	}
	if status < 300 {
		return status, 0, answer, json.Unmarshal(content, &answer)
	}
	_ = json.Unmarshal(content, &answer)
	if answer.Message == "" {
		answer.Message = string(content)
	}
	// client-go comes back after errors of the server's, too; what such a write did is not known.
	if status == http.StatusTooManyRequests {
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		later = time.Duration(seconds) * time.Second
	}
	return status, later, answer, errors.New(answer.Message)
}

func (client *Client) send(
	ctx context.Context, method, path string, body *object,
) (*http.Response, error) {
	var content []byte
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = encoded
	}
	request, err := http.NewRequestWithContext(ctx, method, client.base+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", fieldManager)
	if body != nil {
		kind := "application/json"
		if method == "PATCH" {
			kind = "application/merge-patch+json"
		}
		request.Header.Set("Content-Type", kind)
	}
	response, err := client.http.Do(request)
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		// The method and the URL are the same every time.
		err = wrapped.Err
	}
	return response, err
}

// shortened is one line of at most that many bytes, and never empty.
func shortened(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > longestError {
		text = strings.ToValidUTF8(text[:longestError], "")
	}
	if text == "" {
		return "no reason given"
	}
	return text
}
