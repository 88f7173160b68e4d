package commands

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// happen appends facts to a building's stream as they are.
func (o office) happen(t testing.TB, building uuid.UUID, happened ...events.Event) {
	t.Helper()
	stream := BuildingStream(building)
	version := int64(0)
	err := o.store.Load(t.Context(), o.organization, stream, 0,
		func(recorded eventstore.Recorded) error { version = recorded.Version; return nil })
	require.NoError(t, err)
	_, err = o.store.Append(t.Context(), eventstore.Append{
		Organization: o.organization, Streams: []eventstore.StreamAppend{{
			Stream: stream, Expected: version, Building: building, Events: happened,
		}},
	})
	require.NoError(t, err)
}

func TestABuildingOfMoreLotsThanAnAppendHasRoomForIsRemoved(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	building := o.residence500(t, 9_500, 0)
	more := make([]events.Event, 9_000)
	for i := range more {
		more[i] = events.LotRegistered{
			LotID: uuid.Must(uuid.NewV7()), Number: uuid.NewString(), Type: "cellar", Surface: 1,
		}
	}
	o.happen(t, building, more...)
	remove := RemoveBuilding{BuildingID: building, Now: now}
	_, err := Handle(t.Context(), o.App, o.keyed("r"), &remove)
	require.Equal(t, CodeUnitsRemain, refusal(t, err).Code)
	_, err = Handle(t.Context(), o.App, o.caller(), &clearBuilding{remove})
	require.NoError(t, err, "as far as a request that a crash cut short came")

	removed, err := o.RemoveBuilding(t.Context(), o.keyed("r"), remove)
	require.NoError(t, err)
	require.False(t, removed.State.Stands())
	require.Zero(t, removed.State.Standing)
	again, err := o.RemoveBuilding(t.Context(), o.keyed("r"), remove)
	require.NoError(t, err)
	require.True(t, again.Receipt.Replayed)
	_, err = o.RemoveBuilding(t.Context(), o.caller(), remove)
	require.Equal(t, CodeNotFound, refusal(t, err).Code)
}

func TestABuildingWithAnOpenBalanceStays(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	building := o.residence500(t, 1, 1)
	by := uuid.New()
	charge := o.submitted(t, building, by)
	approve := func(id uuid.UUID) error {
		_, err := Handle(t.Context(), o.App, o.as(uuid.New()), &ApproveCharge{ChargeID: id})
		return err
	}
	require.NoError(t, approve(charge))
	state, err := Load[Building](o.reader(t.Context(), o.organization), BuildingStream(building))
	require.NoError(t, err)
	lot := state.Lots()[0]
	o.happen(t, building, events.OwnershipEnded{
		OwnershipID: lot.Ownerships[0].ID, LotID: lot.ID(), OwnerID: lot.Ownerships[0].Owner,
		To: "2026-01-01",
	})
	remove := RemoveBuilding{BuildingID: building, Now: now}
	_, err = o.RemoveBuilding(t.Context(), o.keyed("r"), remove)
	require.Equal(t, CodeBalanceOpen, refusal(t, err).Code, "who has sold still owes his part")

	_, err = Handle(t.Context(), o.App, o.caller(), CancelCharge{ChargeID: charge})
	require.NoError(t, err)
	pending := o.submitted(t, building, by)
	for _, moves := range []struct {
		name string
		ask  func() error
	}{
		{"a charge that is approved meanwhile", func() error { return approve(pending) }},
		{"one that is reactivated meanwhile", func() error {
			_, err := Handle(t.Context(), o.App, o.caller(), ReactivateCharge{ChargeID: charge})
			return err
		}},
	} {
		r := o.reader(t.Context(), o.organization)
		main, decided, err := decide[Building](r, o.caller(), &remove)
		require.NoError(t, err, moves.name)
		require.NoError(t, moves.ask(), moves.name)
		_, err = r.append(o.caller(), main, decided)
		require.ErrorIs(t, err, eventstore.ErrConflict, moves.name)
	}
	_, err = Handle(t.Context(), o.App, o.caller(), CancelCharge{ChargeID: charge})
	require.NoError(t, err)
	_, err = o.RemoveBuilding(t.Context(), o.keyed("r"), remove)
	require.NoError(t, err)
}
