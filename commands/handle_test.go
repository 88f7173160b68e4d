package commands

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/migrations/migrationstest"
)

// office is a database with an organization on the starter plan, and a server on it.
type office struct {
	*App
	clone        migrationstest.Clone
	organization uuid.UUID
}

func newOffice(t testing.TB, plan string) office {
	t.Helper()
	clone := migrationstest.Database(t)
	o := office{App: server(t, clone), clone: clone, organization: uuid.New()}
	_, err := o.FoundOrganization(t.Context(), System(eventstore.Platform, ""),
		founding(o.organization, "immo-"+plan, plan))
	require.NoError(t, err)
	return o
}

// server is one more server on the database.
func server(t testing.TB, clone migrationstest.Clone) *App {
	t.Helper()
	return New(eventstoretest.Open(t, clone.URL))
}

func founding(organization uuid.UUID, slug, plan string) FoundOrganization {
	return FoundOrganization{
		OrganizationID: organization, Name: "Immo", Slug: slug, Plan: plan,
		ContactID: uuid.New(), ContactEmail: "info@immo.be", ContactPhone: "+32 2 123 45 67",
	}
}

func (o office) caller() Caller {
	return Caller{
		Organization: o.organization, Actor: id(9), Role: RoleSyndic, Correlation: "r",
		Address: "192.0.2.1", Agent: "curl",
	}
}

func (o office) keyed(key string) Caller {
	caller := o.caller()
	caller.Idempotency = &eventstore.Idempotency{
		Actor: caller.Actor, Key: key, Request: make([]byte, 32), Status: 201, Resource: key,
	}
	return caller
}

func register(building uuid.UUID) RegisterBuilding {
	return registerResidence(func(c *RegisterBuilding) { c.BuildingID = building })
}

func TestACommandIsAppendedAndItsStateKept(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	building := uuid.New()
	outcome, err := Handle(t.Context(), o.App, o.caller(), register(building))
	require.NoError(t, err)
	require.True(t, outcome.Changed)
	require.Equal(t, residence, outcome.State.Facts)
	require.EqualValues(t, 1, outcome.Version)
	require.EqualValues(t, 2, outcome.Receipt.Position)
	require.Equal(t, building, outcome.Receipt.Recorded[0].Building)

	again, err := Handle(t.Context(), o.App, o.caller(), register(building))
	require.NoError(t, err)
	require.False(t, again.Changed, "the same create again records nothing")
	require.Equal(t, outcome.State, again.State)
	require.EqualValues(t, 2, again.Receipt.Position)

	cold, err := Handle(t.Context(), server(t, o.clone), o.caller(), register(building))
	require.NoError(t, err)
	require.Equal(t, outcome.State, cold.State, "a cold server folds the same state")
}

func TestACommandInAnOrganizationThatDoesNotStandIsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	caller := o.caller()
	caller.Organization = uuid.New()
	_, err := Handle(t.Context(), o.App, caller, register(uuid.New()))
	require.Equal(t, CodeNotFound, refusal(t, err).Code)
	require.Equal(t, "organization", refusal(t, err).Params["what"])
}

func TestASuspendedOrganizationOnlyReads(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	other := server(t, o.clone)
	building := uuid.New()
	for _, app := range []*App{o.App, other} { // both servers keep the organization warm
		_, err := Handle(t.Context(), app, o.caller(), register(building))
		require.NoError(t, err)
	}
	_, err := Handle(t.Context(), o.App, o.caller(), SuspendOrganization{o.organization})
	require.NoError(t, err)
	for _, app := range []*App{o.App, other} {
		_, err = Handle(t.Context(), app, o.caller(), &RemoveBuilding{BuildingID: building})
		require.Equal(t, CodeOrganizationSuspended, refusal(t, err).Code)
	}
	_, err = Handle(t.Context(), o.App, o.caller(), ChangeSettings{
		OrganizationID: o.organization, Language: To("nl"),
	})
	require.Equal(t, CodeOrganizationSuspended, refusal(t, err).Code)
	_, err = Handle(t.Context(), o.App, o.caller(), ReinstateOrganization{o.organization})
	require.NoError(t, err)
	_, err = Handle(t.Context(), other, o.caller(), &RemoveBuilding{BuildingID: building})
	require.NoError(t, err, "nobody is refused on a copy that is stale")
}

func TestACommandIsDecidedAgainWhenSomebodyWasFaster(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	servers := []*App{o.App, server(t, o.clone)}
	building := uuid.New()
	_, err := Handle(t.Context(), o.App, o.caller(), register(building))
	require.NoError(t, err)
	const writers = 16
	var all sync.WaitGroup
	failures := make([]error, writers)
	for i := range writers {
		all.Go(func() {
			_, failures[i] = Handle(t.Context(), servers[i%2], o.caller(), addEntrance{
				building, string(rune('a' + i)),
			})
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(failures...))
	outcome, err := Handle(t.Context(), o.App, o.caller(), addEntrance{building, "a"})
	require.NoError(t, err)
	require.Len(t, outcome.State.Facts.Entrances, writers, "no writer undid another")
	require.EqualValues(t, 1+writers, outcome.Version)
}

// addEntrance depends on the state: a decision on an old one would lose an entrance.
type addEntrance struct {
	building uuid.UUID
	entrance string
}

func (c addEntrance) Stream() events.Stream { return BuildingStream(c.building) }

func (c addEntrance) Decide(b Building) ([]events.Event, error) {
	if slices.Contains(b.Facts.Entrances, c.entrance) {
		return nil, nil
	}
	change := ChangeBuilding{
		BuildingID: c.building,
		Entrances:  To(append(slices.Clone(b.Facts.Entrances), c.entrance)), Now: now,
	}
	return change.Decide(b)
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	other := server(t, o.clone)
	building := uuid.New()
	_, err := Handle(t.Context(), other, o.caller(), register(building))
	require.NoError(t, err)
	rename := func(app *App, seen int64, name string) error {
		caller := o.caller()
		caller.IfMatch = &seen
		_, err := Handle(t.Context(), app, caller, ChangeBuilding{
			BuildingID: building, Name: To(name), Now: now,
		})
		return err
	}
	require.NoError(t, rename(o.App, 1, "A"))
	require.ErrorIs(t, rename(other, 1, "B"), ErrPrecondition, "the other server is not stale")
	require.NoError(t, rename(other, 2, "B"))
	require.NoError(t, rename(o.App, 3, "C"), "nor refuses what it has not looked at")
	require.ErrorIs(t, rename(o.App, 3, "C"), ErrPrecondition, "also when nothing would change")
	wrong := int64(1)
	caller := o.caller()
	caller.IfMatch = &wrong
	_, err = Handle(t.Context(), o.App, caller, ChangeBuilding{
		BuildingID: uuid.New(), Name: To("A"), Now: now,
	})
	require.Equal(t, CodeNotFound, refusal(t, err).Code, "what is not there has no revision")
	_, err = Handle(t.Context(), o.App, caller, revised{ChangeBuilding{
		BuildingID: building, Name: To("D"), Now: now,
	}})
	require.NoError(t, err, "a command may say what a revision is")
}

type revised struct{ ChangeBuilding }

func (revised) Revision(Building) int64 { return 1 }

func TestAnIdempotencyKeyIsAnsweredAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	building := uuid.New()
	first, err := Handle(t.Context(), o.App, o.keyed("a"), register(building))
	require.NoError(t, err)
	again, err := Handle(t.Context(), o.App, o.keyed("a"), register(uuid.New()))
	require.NoError(t, err)
	require.True(t, again.Receipt.Replayed, "the body is the same: ids are the server's")
	require.False(t, again.Changed)
	require.Equal(t, first.Receipt.Position, again.Receipt.Position)

	_, err = Handle(t.Context(), o.App, o.keyed("b"), &RemoveBuilding{BuildingID: building})
	require.NoError(t, err)
	again, err = Handle(t.Context(), o.App, o.keyed("b"), &RemoveBuilding{BuildingID: building})
	require.NoError(t, err, "a removal that is repeated is not a building that is not found")
	require.True(t, again.Receipt.Replayed)
	_, err = Handle(t.Context(), o.App, o.keyed("c"), &RemoveBuilding{BuildingID: building})
	require.Equal(t, CodeNotFound, refusal(t, err).Code)

	reused := o.keyed("b")
	reused.Idempotency.Request = append(make([]byte, 31), 1)
	_, err = Handle(t.Context(), o.App, reused, &RemoveBuilding{BuildingID: building})
	require.ErrorIs(t, err, eventstore.ErrKeyReused)
	_, err = Handle(t.Context(), o.App, reused, register(uuid.New()))
	require.ErrorIs(t, err, eventstore.ErrKeyReused)
}

func TestAPlanIsNotExceededInARace(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	servers := []*App{o.App, server(t, o.clone)}
	registered, refused := race(t, 64, CodePlanLimit, func(i int) error {
		_, err := Handle(t.Context(), servers[i%2], o.caller(), register(uuid.New()))
		return err
	})
	require.Len(t, registered, Plans["starter"].Buildings)
	for _, no := range refused {
		require.Equal(t, "building", no.Params["kind"])
	}
}

func TestARemovedBuildingFreesItsPlaceAndItsSlug(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	named := func() RegisterBuilding {
		c := register(uuid.New())
		c.Slug = "erables"
		return c
	}
	first := named()
	_, err := Handle(t.Context(), o.App, o.caller(), first)
	require.NoError(t, err)
	_, err = Handle(t.Context(), o.App, o.caller(), register(uuid.New()))
	require.Equal(t, CodePlanLimit, refusal(t, err).Code)
	_, err = Handle(t.Context(), o.App, o.caller(), &RemoveBuilding{BuildingID: first.BuildingID})
	require.NoError(t, err)
	second := named()
	_, err = Handle(t.Context(), o.App, o.caller(), second)
	require.NoError(t, err)
	_, err = Handle(t.Context(), o.App, o.caller(), ChangeBuilding{
		BuildingID: second.BuildingID, Name: To("Autre"), Now: now,
	})
	require.NoError(t, err, "a building keeps its own slug")
}

func TestASlugIsOneBuildings(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	one, two := register(uuid.New()), register(uuid.New())
	one.Slug, two.Slug = "erables", "erables"
	_, err := Handle(t.Context(), o.App, o.caller(), one)
	require.NoError(t, err)
	_, err = Handle(t.Context(), o.App, o.caller(), two)
	require.Equal(t, CodeSlugTaken, refusal(t, err).Code)
	_, err = Handle(t.Context(), o.App, o.caller(), ChangeBuilding{
		BuildingID: one.BuildingID, Slug: Cleared[string](), Now: now,
	})
	require.NoError(t, err)
	_, err = Handle(t.Context(), o.App, o.caller(), two)
	require.NoError(t, err)
}

func TestAnAppendOutlivesTheClient(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	ctx, leave := context.WithCancel(t.Context())
	building := uuid.New()
	outcome, err := Handle(ctx, o.App, o.caller(), leaving{register(building), leave})
	require.NoError(t, err)
	require.True(t, outcome.Changed)
}

// leaving is a command whose client goes away while it is decided.
type leaving struct {
	RegisterBuilding
	leave func()
}

func (c leaving) Decide(b Building) ([]events.Event, error) {
	defer c.leave()
	return c.RegisterBuilding.Decide(b)
}

func TestAFactElsewhereNeedsItsStreamRead(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	_, err := Handle(t.Context(), o.App, o.caller(), straying{uuid.New()})
	require.ErrorContains(t, err, "was not loaded")
}

type straying struct{ id uuid.UUID }

func (c straying) Stream() events.Stream { return BuildingStream(c.id) }

func (c straying) Decide(Building) ([]events.Event, error) {
	return []events.Event{Elsewhere(MemberStream(c.id), events.MemberRoleRevoked{})}, nil
}
