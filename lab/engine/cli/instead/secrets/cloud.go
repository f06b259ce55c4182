// Package cloud stands in for the secrets providers of clouds, such as awskms://: the secrets of a
// lab are encrypted with a passphrase, and these bring along the SDKs of three clouds.
package cloud

import (
	"encoding/json"
	"errors"

	"github.com/pulumi/pulumi/pkg/v3/secrets"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// Type is the type of secrets provider, as the state names it.
const Type = "cloud"

var errNotHere = errors.New(
	"this CLI was built without secrets providers of clouds: use passphrase, or install the official CLI")

func EditProjectStack(*workspace.ProjectStack, json.RawMessage) error { return errNotHere }

func NewCloudSecretsManager(*workspace.ProjectStack, string, bool) (secrets.Manager, error) {
	return nil, errNotHere
}

func NewCloudSecretsManagerFromState(json.RawMessage) (secrets.Manager, error) {
	return nil, errNotHere
}
