package eventstore_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

func TestReplayBuilding(t *testing.T) {
	t.Parallel()
	database := migrationstest.Database(t)
	store := openOn(t, database.URL)
	organization, own, other := newID(t), buildingStream(newID(t)), buildingStream(newID(t))
	charges := []events.Stream{
		{Category: events.ChargeCategory, ID: newID(t)},
		{Category: events.ChargeCategory, ID: newID(t)},
	}
	versions := map[events.Stream]int64{}
	add := func(stream events.Stream, building uuid.UUID, n int, event events.Event) {
		mustAppend(t, store, eventstore.Append{
			Organization: organization,
			Streams: []eventstore.StreamAppend{{
				Stream: stream, Expected: versions[stream], Building: building,
				Events: slices.Repeat([]events.Event{event}, n),
			}},
		})
		versions[stream] += int64(n)
	}
	for range 3 {
		add(own, uuid.Nil, 3_000, events.BuildingRenamed{Name: "Tilleuls"})
		add(other, other.ID, 10, events.BuildingRenamed{Name: "Érables"})
		add(charges[0], own.ID, 2_500, events.ChargeUnpaid{Building: own.ID})
		add(charges[1], other.ID, 10, events.ChargeUnpaid{Building: other.ID})
		add(own, own.ID, 1, events.BuildingRenamed{Name: "Hêtres"})
	}
	all := log(t, store, organization)
	for name, c := range map[string]struct{ after, upTo int64 }{
		"from the first to the last":               {0, 1 << 40},
		"from the middle of the building's stream": {6_000, 1 << 40},
		"from the middle of a charge's stream":     {4_000, 12_000},
		"of one position":                          {3_010, 3_011},
		"of nothing":                               {3_000, 3_010},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want, got []eventstore.Recorded
			for _, r := range all {
				if r.Building == own.ID && r.Position > c.after && r.Position <= c.upTo {
					want = append(want, r)
				}
			}
			require.NoError(t, store.ReplayBuilding(t.Context(), organization, own.ID, c.after,
				c.upTo, func(r *eventstore.Recorded) error {
					got = append(got, *r)
					return nil
				}))
			require.Equal(t, want, got)
		})
	}
	t.Run("a building's stream belongs to no other building", func(t *testing.T) {
		t.Parallel()
		_, err := store.Append(t.Context(), eventstore.Append{
			Organization: organization,
			Streams: []eventstore.StreamAppend{{
				Stream: buildingStream(newID(t)), Building: other.ID,
				Events: []events.Event{registered("Charmes")},
			}},
		})
		require.ErrorContains(t, err, "belongs to its own building")
	})
}

// events_subjects_idx leaves out the persons' own streams.
func TestAPersonsStreamHoldsNoOtherPersonsTextsAlone(t *testing.T) {
	t.Parallel()
	store := open(t)
	organization, person, other := newID(t), newID(t), newID(t)
	for _, known := range []uuid.UUID{person, other} {
		require.NoError(t, store.Keyring().AccountKey(t.Context(), organization, known))
	}
	corrected := func(category string, version int64, whose uuid.UUID) error {
		_, err := store.Append(t.Context(), eventstore.Append{
			Organization: organization,
			Streams: []eventstore.StreamAppend{{
				Stream:   events.Stream{Category: category, ID: person},
				Expected: version, Events: []events.Event{events.AccountProfileCorrected{
					AccountID: whose, FirstName: events.PersonalText("Anne"),
				}},
			}},
		})
		return err
	}
	for _, category := range []string{
		events.AccountCategory, events.OwnerCategory, events.SupplierCategory,
	} {
		require.ErrorContains(t, corrected(category, 0, other), "no other person's texts alone")
		require.NoError(t, corrected(category, 0, person))
		require.ErrorContains(t, corrected(category, 1, other), "no other person's texts alone")
	}
	require.NoError(t, corrected(events.BuildingCategory, 0, other), "the index has it")
}
