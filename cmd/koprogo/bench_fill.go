package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

const (
	eventsPerBuilding = 1_000
	eventsPerFill     = 10_000 // the most that one append takes
	personsPerTown    = 100
)

// history is the event that a building's stream has at a version: registered, then what happens
// to a building, in turn.
func history(building int, version int64) events.Event {
	n := strconv.Itoa(building) + "." + strconv.FormatInt(version, 10)
	if version == 1 {
		return events.BuildingRegistered{
			Name: "Résidence " + n, Address: "Rue de la Loi " + n, City: "Bruxelles",
			PostalCode: "1000", Country: "Belgique", Lots: 24, Shares: events.WholeShares(1000),
			ConstructionYear: 1974, Entrances: []string{"A", "B"}, Zone: "Europe/Brussels",
		}
	}
	switch version % 5 {
	case 0:
		return events.BuildingRenamed{Name: "Résidence " + n, Slug: "residence-" + n}
	case 1:
		return events.BuildingDeedAmended{Lots: 24, Shares: events.WholeShares(version)}
	case 2:
		return events.BuildingIdentified{ConstructionYear: 1974, EnterpriseNumber: "0123456749"}
	case 3:
		return events.BuildingBankingChanged{
			WorkingIBAN: "BE68539007547034", ReserveIBAN: "BE71096123456769",
			FiscalYearStart: "01-01",
		}
	}
	return events.BuildingAddressCorrected{
		Address: "Chaussée de Wavre " + n, City: "Etterbeek", PostalCode: "1040",
		Country: "Belgique", Entrances: []string{"A", "B", "C"}, Zone: "Europe/Brussels",
	}
}

// filling is a log that grows building by building.
type filling struct {
	store        *eventstore.Store
	organization uuid.UUID
	size         int64
	extra        int64 // events that others appended to the same log
	buildings    []uuid.UUID
	perBuilding  int64
}

// length is how many events the log has.
func (f *filling) length() int64 { return f.size + f.extra }

func newFilling(store *eventstore.Store) *filling {
	return &filling{
		store: store, organization: uuid.New(), perBuilding: eventsPerBuilding,
	}
}

// grow appends until the log has size events; size is a multiple of the events of a building.
func (f *filling) grow(ctx context.Context, size int64) error {
	for f.size < size {
		a := eventstore.Append{Organization: f.organization}
		for n := int64(0); n+f.perBuilding <= eventsPerFill && f.size < size; n += f.perBuilding {
			in := eventstore.StreamAppend{
				Stream: events.Stream{Category: events.BuildingCategory, ID: uuid.New()},
			}
			in.Building = in.Stream.ID
			for version := int64(1); version <= f.perBuilding; version++ {
				in.Events = append(in.Events, history(len(f.buildings), version))
			}
			a.Streams = append(a.Streams, in)
			f.buildings = append(f.buildings, in.Stream.ID)
			f.size += f.perBuilding
		}
		if _, err := f.store.Append(ctx, a); err != nil {
			return fmt.Errorf("fill the log: %w", err)
		}
	}
	return nil
}

// town is a building with a long history and persons whose names are sealed.
type town struct {
	organization, building uuid.UUID
	size                   int64
}

// fillTown appends 10,000 events that belong to one building, a hundred of which open an account.
func fillTown(ctx context.Context, store *eventstore.Store) (town, error) {
	t := town{organization: uuid.New(), building: uuid.New(), size: eventsPerFill}
	a := eventstore.Append{Organization: t.organization}
	in := eventstore.StreamAppend{
		Stream:   events.Stream{Category: events.BuildingCategory, ID: t.building},
		Building: t.building,
	}
	for version := range t.size - personsPerTown {
		in.Events = append(in.Events, history(0, version+1))
	}
	a.Streams = append(a.Streams, in)
	for n := range personsPerTown {
		person := uuid.New()
		a.Subjects = append(a.Subjects, person)
		a.Streams = append(a.Streams, eventstore.StreamAppend{
			Stream:   events.Stream{Category: events.AccountCategory, ID: person},
			Building: t.building,
			Events: []events.Event{events.AccountOpened{
				AccountID: person,
				Email:     events.PersonalText(fmt.Sprintf("person%d@example.be", n)),
				FirstName: events.PersonalText("Marie"), LastName: events.PersonalText("Dubois"),
			}},
		})
	}
	_, err := store.Append(ctx, a)
	if err != nil {
		return t, fmt.Errorf("fill a building's history: %w", err)
	}
	return t, nil
}
