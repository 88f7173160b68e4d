package projections_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

func ownerStream(id uuid.UUID) events.Stream {
	return events.Stream{Category: events.OwnerCategory, ID: id}
}

func ownerProfile(last string) events.OwnerProfile {
	return events.OwnerProfile{
		Kind: "person", FirstName: events.PersonalText("Marie"),
		LastName: events.PersonalText(last), Email: events.PersonalText("marie@example.be"),
		IBAN: events.PersonalText("BE68539007547034"),
	}
}

func TestOwnerRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	read := func(id uuid.UUID) projections.OwnerRow {
		return loadRow(t, w, projections.OwnerTable.Columns(), "owners", id,
			projections.OwnerTable.Scan)
	}
	t.Run("an owner's row holds sealed values and moves with the owner alone", func(t *testing.T) {
		organization, id, account := newID(), newID(), newID()
		first := w.Append(t, organization, ownerStream(id),
			events.OwnerRegistered{OwnerID: id, Profile: ownerProfile("Dubois")})
		last := w.Append(t, organization, ownerStream(id),
			events.OwnerHoldingBegun{OwnershipID: newID()},
			events.OwnerProfileCorrected{OwnerID: id, Profile: ownerProfile("Maes")},
			events.OwnerAccountLinked{AccountID: account})
		w.Append(t, organization, ownerStream(id), events.OwnerHoldingEnded{})
		w.catchUp(t)
		row := read(id)
		log, err := w.Store.Read(t.Context(), organization, 2, 1)
		require.NoError(t, err)
		profile := log[0].Event.(events.OwnerProfileCorrected).Profile
		require.Equal(t, projections.OwnerRow{
			OrganizationID: organization, ID: id, Version: 3, Position: last.Position,
			AccountID: &account, Kind: "person", FirstName: profile.FirstName.Sealed(),
			LastName: profile.LastName.Sealed(), Email: profile.Email.Sealed(),
			IBAN: profile.IBAN.Sealed(), CreatedAt: first.RecordedAt, UpdatedAt: last.RecordedAt,
		}, row)
		require.NotContains(t, row.LastName, "Maes")
		w.Append(t, organization, ownerStream(id), events.OwnerAccountLinked{})
		w.catchUp(t)
		require.Nil(t, read(id).AccountID)
	})
	t.Run("an erasure shows in the row's position, and a removed owner is gone", func(t *testing.T) {
		organization, id := newID(), newID()
		w.Append(t, organization, ownerStream(id),
			events.OwnerRegistered{OwnerID: id, Profile: ownerProfile("Dubois")},
			events.PersonErased{Subject: id, Ground: "request"})
		w.catchUp(t)
		require.EqualValues(t, 2, read(id).Position)
		require.EqualValues(t, 1, read(id).Version)
		w.Append(t, organization, ownerStream(id), events.OwnerRemoved{})
		w.catchUp(t)
		_, found := projections.OwnerTable.Of(w.at(t, organization, ownerStream(id), 3), id)
		require.False(t, found)
		_, found = projections.OwnerTable.Of(w.at(t, organization, ownerStream(id), 2), id)
		require.True(t, found)
	})
}

// at looks at a stream's rows as they were at a position.
func (w *world) at(
	t *testing.T, organization uuid.UUID, stream events.Stream, position int64,
) *projections.Copy {
	t.Helper()
	copied, err := projections.NewTravel(w.Store).At(t.Context(), organization,
		projections.Scope{Streams: []events.Stream{stream}}, position)
	require.NoError(t, err)
	return copied
}

func TestRebuiltOwnersEqualLiveOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		organization := newID()
		var owners []uuid.UUID
		for range rapid.IntRange(1, 20).Draw(t, "n") {
			name := rapid.StringMatching(`[A-Za-zéÉ"\\ ]{1,12}`).Draw(t, "name")
			if len(owners) == 0 || rapid.IntRange(0, 3).Draw(t, "new") == 0 {
				owners = append(owners, newID())
				w.Append(t, organization, ownerStream(owners[len(owners)-1]),
					events.OwnerRegistered{
						OwnerID: owners[len(owners)-1], Profile: ownerProfile(name),
					})
			}
			id := rapid.SampledFrom(owners).Draw(t, "who")
			w.Append(t, organization, ownerStream(id), rapid.SampledFrom([]events.Event{
				events.OwnerProfileCorrected{OwnerID: id, Profile: ownerProfile(name)},
				events.OwnerAccountLinked{AccountID: newID()},
				events.OwnerAccountLinked{},
				events.OwnerHoldingBegun{OwnershipID: newID()},
				events.OwnerRemoved{},
			}).Draw(t, "what"))
			if rapid.Bool().Draw(t, "follow") {
				w.catchUp(t)
			}
		}
		w.catchUp(t)
		dump := func() (text string) {
			require.NoError(t, w.admin.QueryRow(context.Background(), `
select coalesce(string_agg(to_json(x)::text, E'\n' order by id), '')
  from read.owners x where organization_id = $1`, organization).Scan(&text))
			return text
		}
		live := dump()
		require.NoError(t,
			projections.Rebuild(context.Background(), w.Store, projections.Owners, nil))
		require.Equal(t, live, dump())
	})
}
