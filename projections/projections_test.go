package projections_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/projections"
)

func TestRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	t.Run("a building's row shows its facts and its stream's version", func(t *testing.T) {
		organization, id := newID(), newID()
		first := w.Append(t, organization, buildingStream(id), registered("Érables"))
		last := w.Append(t, organization, buildingStream(id),
			events.BuildingRenamed{Name: `Tilleuls "2"`, Slug: "tilleuls"},
			events.BuildingAddressCorrected{
				Address: "Rue Haute 3", City: "Gent", PostalCode: "9000", Country: "BE",
				Entrances: []string{"3A", "3B"}, Zone: "Europe/Paris",
			},
			events.BuildingDeedAmended{Lots: 12, Shares: events.WholeShares(1200)},
			events.BuildingIdentified{ConstructionYear: 1968, EnterpriseNumber: "0123456749"},
			events.BuildingBankingChanged{
				WorkingIBAN: "BE68539007547034", ReserveIBAN: "BE71096123456769",
				FiscalYearStart: "07-01",
			})
		w.catchUp(t)
		year := 1968
		row, found := w.building(t, organization, id)
		require.True(t, found)
		require.Equal(t, projections.BuildingRow{
			OrganizationID: organization, ID: id, Version: 6, Position: last.Position,
			Name: `Tilleuls "2"`, Slug: "tilleuls", Address: "Rue Haute 3", City: "Gent",
			PostalCode: "9000", Country: "BE", Entrances: []string{"3A", "3B"},
			Zone: "Europe/Paris", Lots: 12, Shares: events.WholeShares(1200),
			ConstructionYear: &year, EnterpriseNumber: "0123456749",
			WorkingIBAN: "BE68539007547034", ReserveIBAN: "BE71096123456769",
			FiscalYearStart: "07-01", CreatedAt: first.RecordedAt, UpdatedAt: last.RecordedAt,
		}, row)
	})
	t.Run("a removed building is gone and no longer counted", func(t *testing.T) {
		organization, id := newID(), newID()
		w.Append(t, organization, buildingStream(newID()), registered("A"))
		w.Append(t, organization, buildingStream(id), registered("B"), events.BuildingRemoved{})
		w.catchUp(t)
		_, found := w.building(t, organization, id)
		require.False(t, found)
		require.JSONEq(t, `{"organization_id":"`+organization.String()+
			`","resource":"buildings","n":1}`, w.rows(t, organization)["totals"])
	})
	t.Run("an account's row holds the event's sealed values, byte for byte", func(t *testing.T) {
		id, role := newID(), newID()
		w.Append(t, eventstore.Platform, accountStream(id), opened(id, "Anne"))
		w.Append(t, eventstore.Platform, accountStream(id),
			events.AccountRoleOffered{RoleID: role, Role: "syndic", OrganizationID: newID()},
			events.AccountRoleChosen{RoleID: role}, events.AccountTwoFactorEnabled{},
			events.AccountDeactivated{})
		w.catchUp(t)
		row := loadRow(t, w, projections.AccountTable.Columns(), "accounts", id,
			projections.AccountTable.Scan)
		log, err := w.Store.Read(t.Context(), eventstore.Platform, 0, 1)
		require.NoError(t, err)
		e := log[0].Event.(events.AccountOpened)
		require.Equal(t, e.Email.Sealed(), row.Email)
		require.Equal(t, e.LastName.Sealed(), row.LastName)
		require.NotContains(t, row.Email, "Anne")
		require.Equal(t, &role, row.ActiveRoleID)
		require.True(t, row.TwoFactor)
		require.False(t, row.IsActive)
		require.EqualValues(t, 5, row.Version)
	})
	t.Run("roles and mandates stand until they are taken back", func(t *testing.T) {
		organization, account := newID(), newID()
		kept, taken, mandate := newID(), newID(), newID()
		w.Append(t, organization, memberStream(account),
			events.MemberRoleGranted{RoleID: kept, Role: "auditor"},
			events.MemberRoleGranted{RoleID: taken, Role: "owner"},
			events.MemberRoleRevoked{RoleID: taken},
			events.MemberMandateGiven{MandateID: newID(), From: "2026-01-01"},
			events.MemberMandateGiven{
				MandateID: mandate, Buildings: []uuid.UUID{account}, To: "2026-03-15",
			})
		w.catchUp(t)
		rows := w.rows(t, organization)
		require.Contains(t, rows["roles"], kept.String())
		require.NotContains(t, rows["roles"], taken.String())
		row := loadRow(t, w, projections.MandateTable.Columns(), "mandates", mandate,
			projections.MandateTable.Scan)
		require.Equal(t, []uuid.UUID{account}, row.Buildings)
		require.False(t, row.From.Valid)
		require.Equal(t, "2026-03-15", row.To.Time.Format("2006-01-02"))
	})
}

func loadRow[R any](
	t *testing.T, w *world, columns, table string, id uuid.UUID,
	scan func(pgx.CollectableRow) (R, error),
) R {
	t.Helper()
	rows, err := w.admin.Query(t.Context(),
		"select "+columns+" from read."+table+" where id = $1", id)
	require.NoError(t, err)
	row, err := pgx.CollectExactlyOneRow(rows, scan)
	require.NoError(t, err)
	return row
}

func TestEveryStatementIsUnderstood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	texts := projections.Statements()
	require.Greater(t, len(texts), 20)
	conn, err := w.Store.Pool(eventstore.RoleProjector).Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	for _, text := range texts {
		_, err := conn.Conn().Prepare(t.Context(), "", text)
		require.NoError(t, err, text)
	}
}

func TestRebuildEqualsLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		organization := newID()
		w.steps(t, organization, rapid.IntRange(0, 30).Draw(t, "n"))
		w.catchUp(t)
		live := w.rows(t, organization)
		for _, p := range projections.All {
			require.NoError(t, projections.Rebuild(context.Background(), w.Store, p, nil))
		}
		require.Equal(t, live, w.rows(t, organization))
	})
}

func TestTravelEqualsLiveAtEachPosition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		organization, id := newID(), newID()
		words := rapid.StringMatching(`[a-z]{1,8}`)
		live := map[int64]projections.BuildingRow{}
		note := func() {
			w.Append(t, organization, memberStream(newID()),
				events.MemberRoleGranted{RoleID: newID(), Role: "owner"}) // beside the building
			w.catchUp(t)
			if row, found := w.building(t, organization, id); found {
				live[w.Heads[organization]] = row
			}
		}
		w.Append(t, organization, buildingStream(id), registered("A"))
		note()
		for range rapid.IntRange(0, 6).Draw(t, "n") {
			change := drawChange(t, words)
			w.Append(t, organization, buildingStream(id), change)
			note()
			if _, removed := change.(events.BuildingRemoved); removed {
				break
			}
		}
		travel := projections.NewTravel(w.Store)
		scope := projections.Scope{Building: id}
		for _, position := range rapid.Permutation(positionsTo(w.Heads[organization])).
			Draw(t, "order") {
			copied, err := travel.At(context.Background(), organization, scope, position)
			require.NoError(t, err)
			row, found := projections.BuildingTable.Of(copied, id)
			if want, noted := live[position]; noted {
				require.True(t, found)
				require.Equal(t, want, row, "position %d", position)
			}
			if position == w.Heads[organization] {
				_, lives := w.building(t, organization, id)
				require.Equal(t, lives, found)
			}
		}
	})
}

func positionsTo(last int64) []int64 {
	var all []int64
	for position := int64(1); position <= last; position++ {
		all = append(all, position)
	}
	return all
}

func TestTravelTellsChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, id := newID(), newID()
	w.Append(t, organization, buildingStream(id), registered("A"))
	w.Append(t, organization, buildingStream(newID()), registered("elsewhere"))
	w.Append(t, organization, buildingStream(id), events.BuildingRenamed{Name: "B"},
		events.BuildingRenamed{Name: "C"}, events.BuildingRemoved{})
	travel := projections.NewTravel(w.Store)

	found, err := travel.Changes(t.Context(), organization, id, []int64{1, 4, 5})
	require.NoError(t, err)
	require.Len(t, found, 3)
	require.Nil(t, found[1][0].Before)
	require.Equal(t, `"B"`, string(found[4][0].Before["name"]))
	require.Equal(t, `"C"`, string(found[4][0].After["name"]))
	require.Nil(t, found[5][0].After)

	scope := projections.Scope{Building: id}
	before, err := travel.At(t.Context(), organization, scope, 1)
	require.NoError(t, err)
	after, err := travel.At(t.Context(), organization, scope, 4)
	require.NoError(t, err)
	changes, err := projections.Between(before, after)
	require.NoError(t, err)
	require.Len(t, changes, 1)
	require.Equal(t, `"A"`, string(changes[0].Before["name"]))
	require.Equal(t, `"C"`, string(changes[0].After["name"]))
}
