// Package cli stands in for the commands of Pulumi's environments (`pulumi env`), which are kept in
// Pulumi Cloud: they bring along the SDKs of three clouds. This is what the rest of the CLI asks of it.
package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/pulumi/pulumi/pkg/v3/auth/credentialhelper"
	"github.com/pulumi/pulumi/pkg/v3/backend/httpstate"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/esc"
)

var errNotHere = errors.New("this CLI was built without `pulumi env`: install the official one")

// Options is what the command is made with.
type Options struct {
	ParentPath        string
	Colors            colors.Colorization
	CredentialHelpers *credentialhelper.Session
	Login             httpstate.LoginManager
	UserAgent         string
}

// New is the root of the commands; `env` is its only one, and says that it is not here.
func New(*Options) *cobra.Command {
	root := &cobra.Command{Use: "esc"}
	root.AddCommand(&cobra.Command{
		Use:    "env",
		Short:  "Manage environments (not in this build)",
		Hidden: true,
		RunE:   func(*cobra.Command, []string) error { return errNotHere },
	})
	return root
}

// PrepareOptions is how an environment is written for a process.
type PrepareOptions struct {
	Quote, Pretend, Redact bool
}

// PrepareEnvironment is asked when a stack imports an environment.
func PrepareEnvironment(*esc.Environment, *PrepareOptions) (
	files, environ, secrets []string, filesByKey map[string]string, err error,
) {
	return nil, nil, nil, nil, errNotHere
}
