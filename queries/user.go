package queries

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

// User is an account with the roles that the reader may know of, its person's names in clear: ""
// where the person was erased.
type User struct {
	ID        uuid.UUID
	Version   int64 // ETag
	Position  int64 // in the platform's log
	Email     string
	FirstName string
	LastName  string
	IsActive  bool
	TwoFactor bool
	CreatedAt time.Time
	UpdatedAt time.Time
	ErasedAt  time.Time // zero for a person who was not erased
	Roles     []Role    // oldest first, never empty
}

// Role is one that an account holds; Primary is the active one.
type Role struct {
	ID           uuid.UUID
	Role         string
	Organization uuid.UUID // nil: the platform
	Primary      bool
}

// Name is first and last name.
func (u User) Name() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

// Active is the active role, or the first that the reader may know of.
func (u User) Active() Role {
	if i := slices.IndexFunc(u.Roles, func(r Role) bool { return r.Primary }); i >= 0 {
		return u.Roles[i]
	}
	return u.Roles[0]
}

// UserList asks for users: of one organization those who hold a role there.
type UserList struct {
	Span     Span
	Role     string
	IsActive *bool
	Q        string // a part of a name or of the e-mail
	Page     Page
}

// UserSorts are the columns that a list of users may be sorted by, the default first.
var UserSorts = []string{"created_at", "email", "first_name", "last_name"}

var memberModel = []string{projections.Members.Name}

// Users lists users. Who stands in the list is found in memory, on an index of the organization
// in which the names are opened.
func (r *Reader) Users(ctx context.Context, l UserList) (listed Listed[User], err error) {
	all, stale, err := r.everybody(ctx, l.Span)
	if err != nil {
		return listed, err
	}
	var chosen []User
	for _, user := range all {
		if l.chooses(&user) {
			chosen = append(chosen, user)
		}
	}
	l.sort(chosen)
	offset := (l.Page.Number - 1) * l.Page.Size
	if l.Page.After != nil {
		if offset, err = behind(chosen, l.Page.After); err != nil {
			return listed, err
		}
	}
	page, more := slicePage(chosen, l.Page, offset)
	if more {
		last := page[len(page)-1]
		listed.Next, err = writeMark(offset+len(page), last.ID, uuid.Nil)
	}
	listed.Items, listed.Total, listed.Stale = page, int64(len(chosen)), stale
	return listed, err
}

func (l *UserList) chooses(u *User) bool {
	if l.IsActive != nil && u.IsActive != *l.IsActive {
		return false
	}
	if l.Role != "" && !slices.ContainsFunc(u.Roles, func(r Role) bool { return r.Role == l.Role }) {
		return false
	}
	text := strings.ToLower(u.Name() + " " + u.Email)
	return strings.Contains(text, strings.ToLower(l.Q))
}

// sort puts users in order, words as read.words does: é beside e.
func (l *UserList) sort(users []User) {
	words := collate.New(language.Und)
	slices.SortFunc(users, func(a, b User) int {
		var order int
		switch l.Page.Sort {
		case "email":
			order = words.CompareString(a.Email, b.Email)
		case "first_name":
			order = words.CompareString(a.FirstName, b.FirstName)
		case "last_name":
			order = words.CompareString(a.LastName, b.LastName)
		default:
			order = a.CreatedAt.Compare(b.CreatedAt)
		}
		if order == 0 {
			order = strings.Compare(string(a.ID[:]), string(b.ID[:]))
		}
		if l.Page.Descending {
			return -order
		}
		return order
	})
}

// behind is where the page after a mark begins: behind its user, or where he stood when he is gone.
func behind(users []User, after []byte) (int, error) {
	m, err := readMark(after)
	if err != nil {
		return 0, err
	}
	var stood int
	if err := unmarshalMark(m, &stood); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(users, func(u User) bool { return u.ID.String() == m.ID })
	if i < 0 {
		return max(0, stood-1), nil
	}
	return i + 1, nil
}

var (
	rolesOfAccountSQL = `select ` + projections.RoleTable.Columns() + ` from read.roles
 where organization_id = any($1) and account_id = $2 order by granted_at, id`
	offersSQL = `select distinct (data ->> 'organization_id')::uuid from log.events
 where organization_id = $1 and stream = $2 and type = 'account.role_offered'`
)

// UserByID returns an account with its roles: those in one organization, or all of them when span
// is every organization (for a superadmin, and for the person). ErrNotFound where there is none,
// or none that is granted.
func (r *Reader) UserByID(
	ctx context.Context, span Span, id uuid.UUID,
) (found Found[User], err error) {
	rows, stale, err := r.accounts(ctx, []uuid.UUID{id})
	if err != nil {
		return found, err
	}
	if len(rows) == 0 {
		return found, ErrNotFound
	}
	roles, stood, err := r.rolesOf(ctx, span, id)
	if err != nil {
		return found, err
	}
	people, err := r.open(ctx, rows)
	if err != nil {
		return found, err
	}
	user, ok := people[id].holding(rows[id], roles)
	if !ok {
		return found, ErrNotFound
	}
	found.Item, found.Stale = user, max(stale, stood)
	return found, nil
}

// rolesOf reads the roles that an account holds. The organizations to look at are those that
// ever offered it one: the account's own stream names them.
func (r *Reader) rolesOf(
	ctx context.Context, span Span, account uuid.UUID,
) (roles []projections.RoleRow, stale int64, err error) {
	places := []uuid.UUID{span.Organization}
	if span.Every {
		if places, err = r.offers(ctx, account); err != nil {
			return nil, 0, err
		}
		for _, place := range places {
			stood, err := r.await(ctx, In(place), memberModel)
			if err != nil {
				return nil, 0, err
			}
			stale = max(stale, stood)
		}
	}
	models := memberModel
	if span.Every {
		models = nil // waited for above, without waiting for organizations that are none of his
	}
	stood, err := r.read(ctx, span, models, func(batch *pgx.Batch) {
		batch.Queue(rolesOfAccountSQL, places, account).
			Query(many(&roles, projections.RoleTable.Scan))
	})
	return roles, max(stale, stood), err
}

func (r *Reader) offers(ctx context.Context, account uuid.UUID) (places []uuid.UUID, err error) {
	_, err = r.read(ctx, In(eventstore.Platform), nil, func(batch *pgx.Batch) {
		batch.Queue(offersSQL, eventstore.Platform, "account-"+account.String()).
			Query(many(&places, pgx.RowTo[uuid.UUID]))
	})
	return places, err
}
