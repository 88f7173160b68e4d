package projections_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/projections"
)

// fragile is the buildings' projection, which cannot apply what fails says.
func fragile(fails func(eventstore.Recorded) error) projections.Projection {
	p := projections.Buildings
	p.Apply = func(b *projections.Batch, r eventstore.Recorded) error {
		if err := fails(r); err != nil {
			return err
		}
		return projections.Buildings.Apply(b, r)
	}
	return p
}

func total(t *testing.T, w *world, organization uuid.UUID) (n int64) {
	t.Helper()
	err := w.admin.QueryRow(t.Context(), `select coalesce(sum(n), 0)::bigint from read.totals
		where organization_id = $1 and resource = 'buildings'`, organization).Scan(&n)
	require.NoError(t, err)
	return n
}

func TestAReaderSeesItsOwnWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	follower := projections.NewFollower(projections.Config{Store: w.Store})
	eventstoretest.Run(t, follower.Run)
	organization := newID()
	for i := range 50 {
		id := newID()
		receipt := w.Append(t, organization, buildingStream(id), registered(fmt.Sprint(i)))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := follower.Wait(ctx, organization, []string{"buildings"}, receipt.Position)
		cancel()
		require.NoError(t, err)
		_, found := w.building(t, organization, id)
		require.True(t, found, "building %d", i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	err := follower.Wait(ctx, organization, []string{"buildings"}, 51)
	require.ErrorIs(t, err, projections.ErrBehind)
}

func TestAReaderSeesWhatAnotherServersFollowerApplied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	eventstoretest.Run(t, projections.NewFollower(projections.Config{Store: w.Store}).Run)
	other := projections.NewFollower(projections.Config{ // it does not run
		Store: eventstoretest.Open(t, w.Clone.URL),
	})
	var heard atomic.Int64
	other.Subscribe(func(n projections.Notice) {
		if n.Everything {
			heard.Add(1)
		}
	})
	organization := newID()
	receipt := w.Append(t, organization, buildingStream(newID()), registered("A"))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, other.Wait(ctx, organization, []string{"buildings"}, receipt.Position))
	require.EqualValues(t, 1, total(t, w, organization))
	require.Positive(t, heard.Load(), "what was remembered is dropped")
}

func TestNoticesNameTheChangedRowsBeforeTheyCountAsReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var announced []projections.Notice
	follower := projections.NewFollower(projections.Config{
		Store: w.Store, Announce: func(n projections.Notice) { announced = append(announced, n) },
	})
	organization, id := newID(), newID()
	follower.Subscribe(func(n projections.Notice) {
		at, known := follower.Position(organization)
		require.False(t, known && at >= n.Moves["buildings"].To)
	})
	w.Append(t, organization, buildingStream(id), registered("A"))
	require.NoError(t, follower.CatchUp(t.Context()))
	require.Len(t, announced, 1)
	require.Equal(t, []string{id.String()}, announced[0].Changed["buildings"])
	require.Equal(t, projections.Move{From: 0, To: 1}, announced[0].Moves["buildings"])

	t.Run("another server that hears it needs no database", func(t *testing.T) {
		other := projections.NewFollower(projections.Config{Store: eventstoretest.Open(t, w.Clone.URL)})
		other.Heard(announced[0])
		at, known := other.Position(organization)
		require.True(t, known)
		require.EqualValues(t, 1, at)
	})
	t.Run("one before it was lost: anything may have changed", func(t *testing.T) {
		other := projections.NewFollower(projections.Config{Store: eventstoretest.Open(t, w.Clone.URL)})
		var got projections.Notice
		other.Subscribe(func(n projections.Notice) { got = n })
		later := announced[0]
		later.Moves = map[string]projections.Move{"buildings": {From: 7, To: 8}}
		other.Heard(later)
		require.True(t, got.Everything)
	})
}

func TestAnEventThatCannotBeAppliedStopsOnlyItsOrganization(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func(eventstore.Recorded) error{
		"by an error": func(r eventstore.Recorded) error {
			if e, ok := r.Event.(events.BuildingRenamed); ok && e.Name == "bad" {
				return fmt.Errorf("not this one")
			}
			return nil
		},
		"by a panic": func(r eventstore.Recorded) error {
			if e, ok := r.Event.(events.BuildingRenamed); ok && e.Name == "bad" {
				panic("not this one")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var mended atomic.Bool
			follower := projections.NewFollower(projections.Config{
				Store: w.Store,
				Projections: []projections.Projection{
					fragile(func(r eventstore.Recorded) error {
						if mended.Load() {
							return nil
						}
						return fails(r)
					}), projections.Members,
				},
			})
			sick, well, id := newID(), newID(), newID()
			w.Append(t, sick, buildingStream(id), registered("A"),
				events.BuildingRenamed{Name: "B"}, events.BuildingRenamed{Name: "bad"},
				events.BuildingRenamed{Name: "C"})
			role := newID()
			w.Append(t, sick, memberStream(newID()),
				events.MemberRoleGranted{RoleID: role, Role: "owner"})
			w.Append(t, well, buildingStream(newID()), registered("A"))

			require.ErrorContains(t, follower.CatchUp(t.Context()), "not this one")
			stopped := follower.Stopped()
			require.Len(t, stopped, 1)
			require.Equal(t, sick, stopped[0].Organization)
			require.Equal(t, "buildings", stopped[0].Projection)
			require.EqualValues(t, 2, stopped[0].Position)
			row, _ := w.building(t, sick, id)
			require.Equal(t, "B", row.Name)
			require.EqualValues(t, 1, total(t, w, well))
			require.Contains(t, w.rows(t, sick)["roles"], role.String())

			var stands *projections.StoppedError
			require.ErrorAs(t, follower.Wait(t.Context(), sick,
				[]string{"buildings", "members"}, 5), &stands)
			require.EqualValues(t, 2, stands.Position)

			mended.Store(true)
			later := projections.NewFollower(projections.Config{Store: w.Store})
			require.NoError(t, later.CatchUp(t.Context()))
			row, _ = w.building(t, sick, id)
			require.Equal(t, "C", row.Name)
		})
	}
}

func TestAProjectionThatGoesOnAheadOfAnotherCountsNothingTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization := newID()
	w.Append(t, organization, memberStream(newID()),
		events.MemberRoleGranted{RoleID: newID(), Role: "owner"})
	for range 3 {
		w.Append(t, organization, buildingStream(newID()), registered("A"))
	}
	stuck := projections.Members
	stuck.Apply = func(*projections.Batch, eventstore.Recorded) error {
		return fmt.Errorf("not this one")
	}
	follower := projections.NewFollower(projections.Config{
		Store: w.Store, Projections: []projections.Projection{stuck, projections.Buildings},
	})
	require.Error(t, follower.CatchUp(t.Context()))
	require.EqualValues(t, 3, total(t, w, organization))
	w.Append(t, organization, buildingStream(newID()), registered("B"))
	w.catchUp(t) // the members from the first event on, the buildings from the last but one
	require.EqualValues(t, 4, total(t, w, organization))
}

func TestACheckpointStaysLockedUntilItsRowsAreWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, id := newID(), newID()
	w.Append(t, organization, buildingStream(id), registered("A"))
	w.catchUp(t)
	w.Append(t, organization, buildingStream(id), events.BuildingRenamed{Name: "B"})
	tx, err := w.admin.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `lock table read.buildings in access exclusive mode`)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		done <- projections.NewFollower(projections.Config{Store: w.Store}).
			CatchUp(context.Background())
	}()
	watcher, err := pgx.Connect(t.Context(), w.Clone.SuperuserURL)
	require.NoError(t, err)
	defer watcher.Close(context.Background())
	eventually(t, func() bool {
		var free int
		err := watcher.QueryRow(t.Context(), `select count(*) from (select from read.checkpoints
			where organization_id = $1 for update skip locked) as f`, organization).Scan(&free)
		return err == nil && free == 0
	}, "the checkpoints are locked while the rows wait")
	require.NoError(t, tx.Rollback(t.Context()))
	require.NoError(t, <-done)
	row, _ := w.building(t, organization, id)
	require.Equal(t, "B", row.Name)
}

func TestARowThatPostgreSQLRefusesStopsOnlyItsOrganization(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.admin.Exec(t.Context(),
		`alter table read.buildings add check (name <> 'refused')`)
	require.NoError(t, err)
	sick, well := newID(), newID()
	for i := range 40 {
		name := fmt.Sprint(i)
		if i == 33 {
			name = "refused"
		}
		w.Append(t, sick, buildingStream(newID()), registered(name))
		w.Append(t, well, buildingStream(newID()), registered(fmt.Sprint(i)))
	}
	follower := projections.NewFollower(projections.Config{Store: w.Store})
	require.Error(t, follower.CatchUp(t.Context()))
	require.EqualValues(t, 40, total(t, w, well))
	require.EqualValues(t, 33, total(t, w, sick))
	require.Len(t, follower.Stopped(), 1)
	require.EqualValues(t, 33, follower.Stopped()[0].Position)
}

func TestTwoFollowersShareTheWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	applied := map[uuid.UUID]*atomic.Int64{}
	followers := make([]*projections.Follower, 2)
	for i := range followers {
		store := w.Store
		if i > 0 {
			store = eventstoretest.Open(t, w.Clone.URL)
		}
		followers[i] = projections.NewFollower(projections.Config{Store: store})
		eventstoretest.Run(t, followers[i].Run)
	}
	var writing sync.WaitGroup
	for range 4 {
		organization := newID()
		applied[organization] = &atomic.Int64{}
		writing.Go(func() {
			for range 50 {
				stream := buildingStream(newID())
				receipt, err := w.Store.Append(context.Background(), eventstore.Append{
					Organization: organization, Streams: []eventstore.StreamAppend{{
						Stream: stream, Building: stream.ID,
						Events: []events.Event{registered("A")},
					}},
				})
				require.NoError(t, err)
				followers[1].Wake(organization, receipt.Position) // both run for it at once
			}
		})
	}
	writing.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for organization := range applied {
		for _, follower := range followers {
			require.NoError(t, follower.Wait(ctx, organization, []string{"buildings"}, 50))
		}
		require.EqualValues(t, 50, total(t, w, organization))
	}
}

func TestAKilledConnectionAppliesNothingTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	follower := projections.NewFollower(projections.Config{Store: w.Store})
	eventstoretest.Run(t, follower.Run)
	killer, err := pgx.Connect(t.Context(), w.Clone.SuperuserURL)
	require.NoError(t, err)
	defer killer.Close(context.Background())
	organization, killed := newID(), 0
	for i := range 300 {
		w.Append(t, organization, buildingStream(newID()), registered(fmt.Sprint(i)))
		if i%10 != 0 {
			continue
		}
		var n int
		require.NoError(t, killer.QueryRow(t.Context(), `
			select count(pg_terminate_backend(pid)) from pg_stat_activity
			 where datname = $1 and application_name = 'koprogo projector'`,
			w.Clone.Name).Scan(&n))
		killed += n
	}
	require.Positive(t, killed)
	eventually(t, func() bool { return total(t, w, organization) == 300 }, "all are counted")
	live := w.rows(t, organization)
	require.NoError(t, projections.Rebuild(t.Context(), w.Store, projections.Buildings, nil))
	require.Equal(t, live, w.rows(t, organization))
}

func TestAnEventThatNobodyKnowsStopsThoseWhoLookAtIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, role := newID(), newID()
	w.Append(t, organization, buildingStream(newID()), registered("A"))
	// As a newer program would, which this one then follows.
	_, err := w.admin.Exec(t.Context(), `
		insert into log.events (organization_id, position, stream, version, id, type, schema, data,
		                        metadata, recorded_at, leaf_hash)
		select organization_id, 2, 'building-' || $2::text, 1, $2::text::uuid,
		       'building.split', 1, '{}', '{}', recorded_at, leaf_hash
		  from log.events where organization_id = $1`, organization, newID().String())
	require.NoError(t, err)
	_, err = w.admin.Exec(t.Context(), `update log.logs set position = 2
		where organization_id = $1`, organization)
	require.NoError(t, err)
	store := eventstoretest.Open(t, w.Clone.URL)
	stream := memberStream(newID())
	_, err = store.Append(t.Context(), eventstore.Append{
		Organization: organization, Streams: []eventstore.StreamAppend{{
			Stream: stream, Events: []events.Event{
				events.MemberRoleGranted{RoleID: role, Role: "owner"},
			},
		}},
	})
	require.NoError(t, err)

	follower := projections.NewFollower(projections.Config{Store: store})
	require.ErrorIs(t, follower.CatchUp(t.Context()), events.ErrUnknownType)
	var stopped []string
	for _, stop := range follower.Stopped() {
		stopped = append(stopped, stop.Projection)
		require.EqualValues(t, 1, stop.Position)
	}
	require.ElementsMatch(t, []string{"buildings", "lots"}, stopped)
	require.EqualValues(t, 1, total(t, w, organization))
	require.Contains(t, w.rows(t, organization)["roles"], role.String())
	require.ErrorIs(t, projections.Rebuild(t.Context(), store, projections.Buildings, nil),
		events.ErrUnknownType)
}

func TestCheckpointsThatWentBackAreFollowedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	follower := projections.NewFollower(projections.Config{Store: w.Store})
	eventstoretest.Run(t, follower.Run)
	organization := newID()
	for range 3 {
		w.Append(t, organization, buildingStream(newID()), registered("A"))
	}
	require.NoError(t, follower.Wait(t.Context(), organization, follower.Names(), 3))
	// What a crash of PostgreSQL does to commits that were not on disk yet.
	_, err := w.admin.Exec(t.Context(), `with
		gone as (delete from read.buildings where organization_id = $1),
		uncounted as (delete from read.totals where organization_id = $1)
		delete from read.checkpoints where organization_id = $1`, organization)
	require.NoError(t, err)
	follower.Doubt()
	require.NoError(t, follower.Wait(t.Context(), organization, follower.Names(), 3))
	require.EqualValues(t, 3, total(t, w, organization))
}
