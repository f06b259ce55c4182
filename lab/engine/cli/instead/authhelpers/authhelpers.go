// Package authhelpers stands in for the credentials of Google's storage.
package authhelpers

import (
	"context"

	"gocloud.dev/blob"
)

// GoogleCredentialsMux is asked for a backend at gs://, whose stand-in says that it is not here.
func GoogleCredentialsMux(context.Context) (*blob.URLMux, error) {
	return blob.DefaultURLMux(), nil
}
