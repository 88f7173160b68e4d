package seed

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // Belgian days on machines without zone files

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/commands"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// Seeder tells stories on a log.
type Seeder struct {
	App   *commands.App
	Store *eventstore.Store
	// SetPassword sets the password of an account that has none.
	SetPassword func(ctx context.Context, account uuid.UUID, password string) error
}

// account is somebody who signs in.
type account struct {
	id           uuid.UUID
	role         string
	organization uuid.UUID
	email        string
	password     string
	first, last  string
}

// roleID is the id of the account's one role.
func (a account) roleID() uuid.UUID {
	role := a.id
	role[13] = 1 // an id of its own
	return role
}

func (s Seeder) open(ctx context.Context, a account) error {
	_, err := s.App.OpenAccount(ctx, commands.System(a.organization, correlation),
		commands.OpenAccount{
			AccountID: a.id, Email: a.email, FirstName: a.first, LastName: a.last,
			Roles: []commands.RoleOffer{{
				ID: a.roleID(), Role: a.role, Organization: a.organization, Primary: true,
			}},
		})
	if isLeft(err) {
		return nil // somebody has gone on from it, or has the e-mail
	}
	if err != nil {
		return fmt.Errorf("open the account of the %s: %w", a.role, err)
	}
	return s.SetPassword(ctx, a.id, a.password)
}

// correlation marks what was seeded in the log.
const correlation = "seed"

// isLeft tells whether a thing is not made because somebody changed or removed it meanwhile.
func isLeft(err error) bool {
	var refused *commands.Refused
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case commands.CodeIDTaken, commands.CodeEmailTaken, commands.CodeNotFound,
		commands.CodeUserLinked:
		return true
	}
	return false
}

// founding is the day in Belgium on which an organization's log begins. A story counts back from
// it, so that it is the same however often it is told.
func (s Seeder) founding(ctx context.Context, organization uuid.UUID) (time.Time, error) {
	first, err := s.Store.Read(ctx, organization, 0, 1)
	if err != nil {
		return time.Time{}, fmt.Errorf("look when the organization was founded: %w", err)
	}
	if len(first) == 0 {
		return time.Time{}, fmt.Errorf("there is no organization %s", organization)
	}
	return belgianDay(first[0].RecordedAt), nil
}

// belgianDay is midnight UTC of the calendar day that an instant has in Belgium.
func belgianDay(at time.Time) time.Time {
	if zone, err := events.Zone("Europe/Brussels"); err == nil {
		at = at.In(zone)
	}
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
}

func dayOf(at time.Time) events.Day { return events.Day(at.Format(time.DateOnly)) }

// kind is what an id is of; two kinds never share one.
type kind byte

const (
	ofBuilding kind = iota
	ofLot
	ofOwner
	ofOwnership
	ofKey
	ofCharge
	ofSupplier
	ofAccount
	ofMandate
)

// ids makes the ids of a story, in the form of a UUIDv7. Those of one building stand together, and
// those of one kind in their order, as if they had been made one after the other.
type ids struct {
	building uint32
	mark     [7]byte // of the organization and the seed
}

func idsOf(organization uuid.UUID, seed uint64, building int) ids {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(organization[:], seed))
	return ids{building: uint32(building), mark: [7]byte(sum[:7])}
}

func (i ids) id(of kind, n int) uuid.UUID {
	id := uuid.UUID{0: 0x01, 1: 0x90}
	binary.BigEndian.PutUint32(id[2:], i.building)
	id[6], id[7] = 0x70|byte(of), i.mark[0]
	id[8] = 0x80 | i.mark[1]&0x3f
	binary.BigEndian.PutUint16(id[9:], uint16(n))
	copy(id[11:], i.mark[2:])
	return id
}
