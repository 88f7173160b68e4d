package queries

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

// Bounds of the names that are kept open in memory.
const (
	peopleIndexes = 64
	peopleKept    = 20_000 // over all indexes
)

// people keeps who holds a role in an organization, names opened, until one of them changes.
type people struct {
	mu      sync.Mutex
	indexes *simplelru.LRU[Span, indexed]
	kept    int
	changes uint64 // counts what was dropped, so that nothing older is kept after it
}

type indexed struct{ users []User }

func newPeople() *people {
	p := &people{}
	indexes, err := simplelru.NewLRU(peopleIndexes, func(_ Span, i indexed) {
		p.kept -= len(i.users)
	})
	if err != nil { // only for a size below one
		panic(err)
	}
	p.indexes = indexes
	return p
}

func (p *people) get(span Span) (index indexed, found bool, changes uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	index, found = p.indexes.Get(span)
	return index, found, p.changes
}

// keep keeps an index that was read when the count of changes was the one given.
func (p *people) keep(span Span, index indexed, changes uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if changes != p.changes || len(index.users) > peopleKept || p.indexes.Contains(span) {
		return
	}
	p.kept += len(index.users)
	p.indexes.Add(span, index)
	for p.kept > peopleKept {
		p.indexes.RemoveOldest()
	}
}

// heard drops what a notice may have changed.
func (p *people) heard(n projections.Notice) {
	platform := n.Organization == eventstore.Platform
	accounts := platform && (n.Everything || len(n.Changed[projections.AccountTable.Name()]) > 0)
	roles := n.Everything || len(n.Changed[projections.RoleTable.Name()]) > 0
	if !accounts && !roles {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes++
	if accounts {
		p.indexes.Purge()
		return
	}
	p.indexes.Remove(In(n.Organization))
	p.indexes.Remove(Everywhere())
}

// ForgetPeople drops every name that is kept open: after an erasure.
func (r *Reader) ForgetPeople() {
	r.people.heard(projections.Notice{Organization: eventstore.Platform, Everything: true})
	r.ownerIndexes.forget()
	r.ownerPages.forget(uuid.Nil)
	r.chargePages.forget(uuid.Nil)
}

var (
	rolesInSQL = `select ` + projections.RoleTable.Columns() + ` from read.roles
 where organization_id = $1 order by granted_at, id`
	rolesEverywhereSQL = `select ` + projections.RoleTable.Columns() + ` from read.roles
 order by granted_at, id`
)

// everybody returns the users of an organization, or all of them, in no order; not for changing.
func (r *Reader) everybody(ctx context.Context, span Span) ([]User, int64, error) {
	stale, err := r.await(ctx, span, memberModel)
	if err != nil {
		return nil, 0, err
	}
	stood, err := r.await(ctx, In(eventstore.Platform), accountModel)
	if err != nil {
		return nil, 0, err
	}
	stale = max(stale, stood)
	index, found, changes := r.people.get(span)
	if found && r.follower != nil {
		return index.users, stale, nil
	}
	users, err := r.readEverybody(ctx, span)
	if err != nil {
		return nil, 0, err
	}
	r.people.keep(span, indexed{users: users}, changes)
	return users, stale, nil
}

func (r *Reader) readEverybody(ctx context.Context, span Span) ([]User, error) {
	var roles []projections.RoleRow
	_, err := r.read(ctx, span, memberModel, func(batch *pgx.Batch) {
		text, args := rolesInSQL, []any{span.Organization}
		if span.Every {
			text, args = rolesEverywhereSQL, nil
		}
		batch.Queue(text, args...).Query(many(&roles, projections.RoleTable.Scan))
	})
	if err != nil {
		return nil, err
	}
	held := map[uuid.UUID][]projections.RoleRow{}
	var ids []uuid.UUID
	for _, role := range roles {
		if held[role.AccountID] == nil {
			ids = append(ids, role.AccountID)
		}
		held[role.AccountID] = append(held[role.AccountID], role)
	}
	rows, _, err := r.accounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	opened, err := r.open(ctx, rows)
	if err != nil {
		return nil, err
	}
	var users []User
	for _, id := range ids {
		row, stands := rows[id]
		if user, ok := opened[id].holding(row, held[id]); ok && stands {
			users = append(users, user)
		}
	}
	return users, nil
}

// person is what an account's row says of its person, in clear.
type person struct {
	email, first, last string
	erasedAt           time.Time
}

// Name is first and last name.
func (p person) Name() string { return User{FirstName: p.first, LastName: p.last}.Name() }

// holding makes a user of an account's row and its roles; false when it holds none.
func (p person) holding(row projections.AccountRow, roles []projections.RoleRow) (User, bool) {
	user := User{
		ID: row.ID, Version: row.Version, Position: row.Position, Email: p.email,
		FirstName: p.first, LastName: p.last, ErasedAt: p.erasedAt, IsActive: row.IsActive,
		TwoFactor: row.TwoFactor, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	for _, role := range roles {
		user.Roles = append(user.Roles, Role{
			ID: role.ID, Role: role.Role, Organization: role.OrganizationID,
			Primary: row.ActiveRoleID != nil && *row.ActiveRoleID == role.ID,
		})
	}
	return user, len(roles) > 0
}

// open opens the personal texts of accounts, by id.
func (r *Reader) open(
	ctx context.Context, rows map[uuid.UUID]projections.AccountRow,
) (map[uuid.UUID]person, error) {
	var ids []uuid.UUID
	var sealed []events.Personal
	for id, row := range rows {
		ids = append(ids, id)
		sealed = append(sealed, events.SealedText(row.Email), events.SealedText(row.FirstName),
			events.SealedText(row.LastName))
	}
	clear, err := r.keyring.OpenAll(ctx, eventstore.Platform, sealed)
	if err != nil {
		return nil, fmt.Errorf("open names: %w", err)
	}
	opened := make(map[uuid.UUID]person, len(rows))
	var erased []events.Stream
	for i, id := range ids {
		opened[id] = person{email: clear[3*i], first: clear[3*i+1], last: clear[3*i+2]}
		if rows[id].Email != "" && clear[3*i] == "" {
			erased = append(erased, events.Stream{Category: events.AccountCategory, ID: id},
				events.Stream{Category: "person", ID: id})
		}
	}
	when, err := r.erasures(ctx, eventstore.Platform, erased)
	for id, at := range when {
		p := opened[id]
		p.erasedAt = at
		opened[id] = p
	}
	return opened, err
}

const erasuresSQL = `select (data ->> 'subject')::uuid, min(recorded_at) from log.events
 where organization_id = $1 and stream = any($2) and type = 'person.erased' group by 1`

// erasures tells when subjects were erased, as the streams say that may hold the fact.
func (r *Reader) erasures(
	ctx context.Context, organization uuid.UUID, streams []events.Stream,
) (map[uuid.UUID]time.Time, error) {
	if len(streams) == 0 {
		return nil, nil
	}
	names := make([]string, len(streams))
	for i, stream := range streams {
		names[i] = stream.String()
	}
	when := map[uuid.UUID]time.Time{}
	_, err := r.read(ctx, In(organization), nil, func(batch *pgx.Batch) {
		batch.Queue(erasuresSQL, organization, names).Query(func(rows pgx.Rows) error {
			var subject uuid.UUID
			var at time.Time
			_, err := pgx.ForEachRow(rows, []any{&subject, &at}, func() error {
				when[subject] = at.UTC()
				return nil
			})
			return err
		})
	})
	return when, err
}

func unmarshalMark(m mark, into *int) error {
	if json.Unmarshal(m.Value, into) != nil {
		return ErrBadMark
	}
	return nil
}
