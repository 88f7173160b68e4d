package queries

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

// Owner is an owner with his texts in clear: "" where the person was erased.
type Owner struct {
	OrganizationID   uuid.UUID
	ID               uuid.UUID
	Version          int64 // ETag
	Position         int64 // of the event that changed him last
	AccountID        uuid.UUID
	Kind             string // person, company, group
	FirstName        string
	LastName         string
	CompanyName      string
	EnterpriseNumber string
	Language         string
	Email            string
	Phone            string
	Street           string
	HouseNumber      string
	Address          string
	City             string
	PostalCode       string
	Country          string
	IBAN             string
	Mandatary        string
	CreatedAt        time.Time
	UpdatedAt        time.Time
	ErasedAt         time.Time // zero for a person who was not erased
}

// texts are the personal ones, in the order of projections.OwnerRow.Texts.
func (o *Owner) texts() []*string {
	return []*string{
		&o.FirstName, &o.LastName, &o.CompanyName, &o.EnterpriseNumber, &o.Language, &o.Email,
		&o.Phone, &o.Street, &o.HouseNumber, &o.Address, &o.City, &o.PostalCode, &o.Country,
		&o.IBAN, &o.Mandatary,
	}
}

var ownerModel = []string{projections.Owners.Name}

// ownerSource has no orders: a list of owners is made in memory.
var ownerSource = source[projections.OwnerRow]{
	table: projections.OwnerTable, model: ownerModel,
	whose: func(o *projections.OwnerRow) uuid.UUID { return o.OrganizationID },
	scope: streamOf(events.OwnerCategory),
}

// OwnerList asks for owners.
type OwnerList struct {
	Span Span
	Q    string                 // a part of a name or of the e-mail, upper and lower case alike
	Only map[uuid.UUID]struct{} // nil: any; else these, which may be none
	Page Page
}

// OwnerSorts are the columns that a list of owners may be sorted by, the default first.
var OwnerSorts = []string{"last_name", "first_name", "email", "created_at"}

// ownerIndexing is how owners are indexed. Who has no last name is sorted by his company's; those
// of one name by the other.
var ownerIndexing = indexing[Owner]{
	table: projections.OwnerTable.Name(), model: ownerModel,
	texts: []string{"first_name", "last_name", "company_name", "email"},
	orders: map[string]func([]string) []string{
		"last_name":  func(t []string) []string { return []string{lastName(t), t[0]} },
		"first_name": func(t []string) []string { return []string{t[0], lastName(t)} },
		"email":      func(t []string) []string { return []string{t[3]} },
	},
	items: func(
		ctx context.Context, r *Reader, span Span, at []indexPlace,
	) ([]Owner, error) {
		return r.owners(ctx, span, ownersSQL(span.Every), placesArgs(span, at)...)
	},
	at: func(o *Owner) (indexPlace, int64) {
		return indexPlace{o.OrganizationID, o.ID}, o.Position
	},
}

func lastName(texts []string) string {
	if texts[1] == "" {
		return texts[2]
	}
	return texts[1]
}

// Owners lists owners. Who stands in the list, and where, is found in memory, on an index in which
// the names are opened.
func (r *Reader) Owners(ctx context.Context, l OwnerList) (Listed[Owner], error) {
	if l.Page.Sort == "" {
		l.Page.Sort = OwnerSorts[0]
	}
	query := indexQuery{span: l.Span, q: l.Q, only: l.Only, page: l.Page}
	asked := listing{l.Span, func(c *conditions) {
		if query.filters() {
			c.add("false")
		}
	}, l.Page}
	return r.ownerPages.list(r, asked, OwnerSorts, func() (Listed[Owner], error) {
		return r.ownersOf(ctx, query)
	})
}

// ownersOf lists owners from the index. Where it holds nothing that is newer than what the read
// model showed before, its position is known.
func (r *Reader) ownersOf(ctx context.Context, query indexQuery) (Listed[Owner], error) {
	if r.follower == nil || query.span.Every {
		return r.ownerIndexes.list(ctx, r, query)
	}
	if _, err := r.await(ctx, query.span, ownerSource.model); err != nil {
		return Listed[Owner]{}, err
	}
	position := r.follower.At(query.span.Organization, projections.Owners.Name)
	listed, err := r.ownerIndexes.list(ctx, r, query)
	if r.ownerIndexes.newest(query.span) <= position {
		listed.at = position
	}
	return listed, err
}

// ownersSQL finds owners by place.
func ownersSQL(every bool) string {
	return ownerSource.selects() + wherePlaces(every)
}

var (
	ownersByIDSQL = ownersSQL(false)
	ownersInSQL   = `select distinct owner_id from read.ownerships
 where organization_id = $1 and building_id = any($2)`
	ownerByAccountSQL = ownerSource.selects() + `
 where organization_id = $1 and account_id = $2`
)

// owners opens the rows that a statement finds, without waiting for the read model.
func (r *Reader) owners(
	ctx context.Context, span Span, text string, args ...any,
) ([]Owner, error) {
	var rows []projections.OwnerRow
	_, err := r.read(ctx, span, nil, func(batch *pgx.Batch) {
		batch.Queue(text, args...).Query(many(&rows, projections.OwnerTable.Scan))
	})
	if err != nil {
		return nil, err
	}
	return r.openOwners(ctx, rows)
}

// OwnerByID returns the owner: ErrNotFound when the span has none of this id, and
// eventstore.ErrErased for an erased person.
func (r *Reader) OwnerByID(
	ctx context.Context, span Span, id uuid.UUID,
) (found Found[Owner], err error) {
	row, err := ownerSource.byID(ctx, r, span, id)
	if err != nil {
		return found, err
	}
	return r.openOwner(ctx, row)
}

// OwnerByAccount returns the owner who signs in by an account, as OwnerByID does.
func (r *Reader) OwnerByAccount(
	ctx context.Context, organization, account uuid.UUID,
) (found Found[Owner], err error) {
	rows, err := ownerSource.rows(ctx, r, In(organization), ownerByAccountSQL,
		organization, account)
	switch {
	case err != nil:
		return found, err
	case len(rows.Item) == 0:
		return found, ErrNotFound
	}
	return r.openOwner(ctx, withItem(rows, rows.Item[0]))
}

// openOwner opens the texts of one owner who has not been erased.
func (r *Reader) openOwner(
	ctx context.Context, row Found[projections.OwnerRow],
) (found Found[Owner], err error) {
	opened, err := r.openOwners(ctx, []projections.OwnerRow{row.Item})
	if err != nil {
		return found, err
	}
	if !opened[0].ErasedAt.IsZero() {
		return found, eventstore.ErrErased
	}
	return withItem(row, opened[0]), nil
}

// OwnerOrganization tells whose owner it is; ErrNotFound when there is none.
func (r *Reader) OwnerOrganization(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	return ownerSource.organizationOf(ctx, r, id)
}

// OwnersIn lists those who ever held a lot of one of the buildings; the list is never nil.
func (r *Reader) OwnersIn(
	ctx context.Context, organization uuid.UUID, buildings []uuid.UUID,
) (ids []uuid.UUID, err error) {
	_, err = r.read(ctx, In(organization), lotModel, func(batch *pgx.Batch) {
		batch.Queue(ownersInSQL, organization, buildings).Query(many(&ids, pgx.RowTo[uuid.UUID]))
	})
	return ids, err
}

// OwnerAt returns the owner as he was at a moment: ErrPositionUnknown for one past the head or in
// the future, ErrNotFound for one before he was registered or after he was removed, and
// eventstore.ErrErased for a person who is erased now.
func (r *Reader) OwnerAt(
	ctx context.Context, organization, id uuid.UUID, moment Moment,
) (found Found[Owner], err error) {
	row, err := ownerSource.at(ctx, r, organization, id, uuid.Nil, moment)
	if err != nil {
		return found, err
	}
	return r.openOwner(ctx, row)
}

func ownerStream(id uuid.UUID) events.Stream {
	return events.Stream{Category: events.OwnerCategory, ID: id}
}

// openOwners opens rows; of an erased person it finds out when that was.
func (r *Reader) openOwners(
	ctx context.Context, rows []projections.OwnerRow,
) ([]Owner, error) {
	texts, err := openByOrganization(ctx, r, rows,
		func(row *projections.OwnerRow) (uuid.UUID, []string) {
			sealed := make([]string, 0, 15)
			for _, text := range row.Texts() {
				sealed = append(sealed, *text)
			}
			return row.OrganizationID, sealed
		})
	if err != nil {
		return nil, err
	}
	opened := make([]Owner, len(rows))
	for i := range rows {
		opened[i] = openedOwner(&rows[i], texts[i])
		if rows[i].Email == "" || opened[i].Email != "" {
			continue
		}
		if opened[i].ErasedAt, err = r.ownerErased(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	return opened, nil
}

func openedOwner(row *projections.OwnerRow, texts []string) Owner {
	owner := Owner{
		OrganizationID: row.OrganizationID, ID: row.ID, Version: row.Version,
		Position: row.Position, Kind: row.Kind,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	if row.AccountID != nil {
		owner.AccountID = *row.AccountID
	}
	for i, text := range owner.texts() {
		*text = texts[i]
	}
	return owner
}

// ownerErased is when an owner was erased. Where his key went and no fact of it is recorded yet,
// it is when he was changed last.
func (r *Reader) ownerErased(
	ctx context.Context, row *projections.OwnerRow,
) (time.Time, error) {
	when, err := r.erasures(ctx, row.OrganizationID, []events.Stream{
		ownerStream(row.ID), {Category: "person", ID: row.ID},
	})
	if at := when[row.ID]; !at.IsZero() {
		return at, err
	}
	return row.UpdatedAt, err
}

// ownerStatements are the SQL texts of this file.
func ownerStatements() []string {
	return append(ownerIndexing.statements(), ownersByIDSQL, ownersSQL(true),
		ownerByAccountSQL, ownersInSQL)
}
