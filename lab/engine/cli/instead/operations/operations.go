// Package operations stands in for the readers of clouds' logs (`pulumi logs`): they bring along the
// SDKs of two clouds.
package operations

import (
	"context"
	"errors"
	"time"

	pkgresource "github.com/pulumi/pulumi/pkg/v3/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
)

type (
	// LogEntry is a line of a log.
	LogEntry struct {
		ID        string
		Timestamp int64
		Message   string
	}

	// ResourceFilter is whose logs are asked for.
	ResourceFilter string

	// LogQuery is which lines are asked for.
	LogQuery struct {
		StartTime      *time.Time      `url:"startTime,unix"`
		EndTime        *time.Time      `url:"endTime,unix"`
		ResourceFilter *ResourceFilter `url:"resourceFilter"`
	}

	// Resource is the root of a stack's resources, and has no logs.
	Resource struct{}
)

func NewResourceTree([]*pkgresource.State) *Resource { return &Resource{} }

func (r *Resource) OperationsProvider(map[config.Key]string) *Resource { return r }

// GetLogs says that logs are not here.
func (*Resource) GetLogs(context.Context, LogQuery) (*[]LogEntry, error) {
	return nil, errors.New("this CLI was built without `pulumi logs`: install the official one")
}
