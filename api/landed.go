package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/eventstore"
)

// landed notes what a request appended, in whichever logs, so that no read shows less, and returns
// the position to answer: that of the call's organization's log.
func (c *Call) landed(ctx context.Context, receipts ...eventstore.Receipt) (int64, error) {
	position := int64(0)
	for _, receipt := range receipts {
		c.fence.answered(receipt.Organization, receipt.Position)
		if receipt.Organization == c.Organization {
			position = max(position, receipt.Position)
		}
	}
	if position > 0 {
		return position, nil
	}
	head, err := c.Store.Head(ctx, c.Organization)
	return head.Position, err
}

// receipts are all that an outcome appended.
func receipts[S any](outcome commands.Outcome[S]) []eventstore.Receipt {
	return append([]eventstore.Receipt{outcome.Receipt}, outcome.Also...)
}

// recordedAt is when a receipt's last event was recorded: the moment at which a repeated request
// is shown again. It is the zero time for a receipt of this request itself.
func (c *Call) recordedAt(ctx context.Context, receipt eventstore.Receipt) (time.Time, error) {
	if !receipt.Replayed {
		return time.Time{}, nil
	}
	if !receipt.RecordedAt.IsZero() {
		return receipt.RecordedAt, nil
	}
	page, err := c.Store.Read(ctx, receipt.Organization, receipt.Position-1, 1)
	if err != nil || len(page) == 0 {
		return time.Time{}, err
	}
	return page[0].RecordedAt, nil
}

// writable refuses what is decided on the platform for a suspended organization: its managers
// only read. The rules of the organization's own log refuse the rest.
func (c *Call) writable(ctx context.Context) error {
	if c.Caller.Role == Superadmin || c.Caller.Organization == uuid.Nil {
		return nil
	}
	organization, err := c.Commands.Organization(ctx, c.Caller.Organization)
	if err == nil && organization.Suspended {
		err = refuse(Code(commands.CodeOrganizationSuspended))
	}
	return err
}
