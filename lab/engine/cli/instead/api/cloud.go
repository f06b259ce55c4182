// Package cloud stands in for the package of `pulumi api`, which calls Pulumi Cloud: with the parser
// of OpenAPI that it brings along it is a quarter of what there is to compile, and a lab keeps its
// state in files. This is what the rest of the CLI asks of it.
package cloud

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/pulumi/pulumi/pkg/v3/backend/httpstate/client"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

var errNotHere = errors.New("this CLI was built without `pulumi api`: install the official one")

// APIError is what a failed call has; here none is ever made.
type APIError struct {
	ExitCode int
	Silent   bool
}

func (e *APIError) Error() string { return errNotHere.Error() }

// ResolvedContext is where a call goes, and with whose credentials.
type ResolvedContext struct {
	Client    *client.Client
	CloudURL  string
	OrgName   string
	Project   *workspace.Project
	StackOrg  string
	StackProj string
	StackName string
	LoggedIn  bool
}

// ResolveContext is asked by commands of Pulumi Cloud, such as `pulumi insights`.
func ResolveContext(context.Context) (*ResolvedContext, error) { return nil, errNotHere }

// NewAPICmd is the command, which says that it is not here.
func NewAPICmd() *cobra.Command {
	return &cobra.Command{
		Use:    "api",
		Short:  "Call any Pulumi Cloud API endpoint (not in this build)",
		Hidden: true,
		RunE:   func(*cobra.Command, []string) error { return errNotHere },
	}
}
