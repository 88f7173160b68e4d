package api

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/queries"
)

// What queries found, as answers of REST.

// span is the organization of the call as a query takes it: all of them for a superadmin who
// named none.
func (c *Call) span() queries.Span {
	if c.Every() {
		return queries.Everywhere()
	}
	return queries.Span{Organization: c.Organization, Fresh: c.fresh}
}

// organizationOf finds whose resource it is that a superadmin names alone.
func (b *Backend) organizationOf(
	ctx context.Context, noun string, id uuid.UUID,
) (uuid.UUID, error) {
	switch noun {
	case "building":
		return b.Queries.BuildingOrganization(ctx, id)
	case "unit":
		return b.Queries.LotOrganization(ctx, id)
	case "owner":
		return b.Queries.OwnerOrganization(ctx, id)
	case "expense", "invoice":
		return b.Queries.ChargeOrganization(ctx, id)
	case "distribution_key":
		return b.Queries.KeyOrganization(ctx, id)
	case "ownership":
		at, err := b.Queries.OwnershipPlace(ctx, queries.Everywhere(), id)
		return at.Organization, err
	}
	return uuid.Nil, refuse(CodeOrganizationRequired)
}

// moment is the as-of of a read as a query takes it.
func (a AsOf) moment() queries.Moment {
	return queries.Moment{Position: a.Position, Instant: a.Instant, Day: a.Day}
}

// find reads a thing as it is, or as it was at the call's moment.
func find[Q any](
	ctx context.Context, c *Call, id uuid.UUID,
	now func(context.Context, queries.Span, uuid.UUID) (queries.Found[Q], error),
	then func(context.Context, uuid.UUID, uuid.UUID, queries.Moment) (queries.Found[Q], error),
) (queries.Found[Q], error) {
	if c.AsOf.IsNow() {
		return now(ctx, c.span(), id)
	}
	return then(ctx, c.Organization, id, c.AsOf.moment())
}

// answerOf answers with a body that shows what was found.
func answerOf[Q, R any](found queries.Found[Q], body R) Answer[R] {
	return Answer[R]{Body: body, Position: found.Position, Stale: found.Stale}
}

// versioned is the answer with the resource's version, its ETag.
func (a Answer[R]) versioned(version int64) Answer[R] {
	a.Version = version
	return a
}

// answerAll answers with the things found that the caller sees, as a bare array.
func answerAll[Q, R any](
	found queries.Found[[]Q], body func(Q) R, sees func(*Q) bool,
) Answer[[]R] {
	bodies := make([]R, 0, len(found.Item))
	for i := range found.Item {
		if sees(&found.Item[i]) {
			bodies = append(bodies, body(found.Item[i]))
		}
	}
	return answerOf(found, bodies)
}

// all is for what the query has limited to what the caller sees.
func all[Q any](*Q) bool { return true }

// of is the page as a query takes it; words are the query's names of the columns that it sorts by
// where REST has others, in pairs: "total_units", "lots".
func (p Page) of(words ...string) queries.Page {
	return queries.Page{
		Number: p.Number, Size: p.Size, Sort: cmp.Or(params(words...)[p.Sort], p.Sort),
		Descending: p.Descending, After: p.After,
	}
}

// listedAs turns a query's page into REST bodies. Where they may have been made before it leaves
// that to when they are wanted.
func listedAs[Q, R any](listed queries.Listed[Q], body func(Q) R) Listed[R] {
	turned := Listed[R]{
		Total: listed.Total, Next: listed.Next, Position: listed.Stale, Stale: listed.Stale,
		shown: listed.Shown,
	}
	turn := func() []R {
		items := make([]R, len(listed.Items))
		for i, item := range listed.Items {
			items[i] = body(item)
		}
		return items
	}
	if listed.Shown != nil {
		turned.turn = turn
	} else {
		turned.Items = turn()
	}
	return turned
}
