// Package azureblob stands in for the driver of azblob://: this CLI keeps its state in files.
package azureblob

import (
	"context"
	"errors"
	"net/url"

	"gocloud.dev/blob"
)

const Scheme = "azblob"

type (
	clientMaker struct{}

	// ServiceURLOptions are none.
	ServiceURLOptions struct{}

	// URLOpener opens nothing.
	URLOpener struct {
		MakeClient        clientMaker
		ServiceURLOptions ServiceURLOptions
	}
)

var NewDefaultClient clientMaker

func NewDefaultServiceURLOptions() *ServiceURLOptions { return &ServiceURLOptions{} }

func init() { blob.DefaultURLMux().RegisterBucket(Scheme, &URLOpener{}) }

// OpenBucketURL says that the driver is not here.
func (*URLOpener) OpenBucketURL(context.Context, *url.URL) (*blob.Bucket, error) {
	return nil, errors.New("this CLI was built without azblob://: install the official one")
}
