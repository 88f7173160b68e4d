package projections_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore/eventstoretest"
	"github.com/koprogo/koprogo/projections"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

// world is a log, and a superuser's look at what is made of it.
type world struct {
	*eventstoretest.Log

	admin *pgx.Conn
}

var (
	newID          = eventstoretest.NewID
	buildingStream = eventstoretest.BuildingStream
	registered     = eventstoretest.Registered
	opened         = eventstoretest.Opened
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Log: eventstoretest.New(t)}
	admin, err := pgx.Connect(t.Context(), w.Clone.SuperuserURL)
	require.NoError(t, err)
	w.admin = admin
	t.Cleanup(func() { require.NoError(t, admin.Close(context.Background())) })
	return w
}

// catchUp applies the whole log with a follower of its own.
func (w *world) catchUp(t require.TestingT) {
	follower := projections.NewFollower(projections.Config{Store: w.Store})
	require.NoError(t, follower.CatchUp(context.Background()))
}

// rows dumps every read model of the organization as the database holds it.
func (w *world) rows(t require.TestingT, organization uuid.UUID) map[string]string {
	dump := map[string]string{}
	for _, table := range []string{
		"organizations", "accounts", "roles", "mandates", "buildings", "totals", "checkpoints",
	} {
		var text string
		err := w.admin.QueryRow(context.Background(), fmt.Sprintf(
			`select coalesce(string_agg(to_json(x)::text, E'\n' order by to_json(x)::text), '')
			   from read.%s x where organization_id = $1`, table), organization).Scan(&text)
		require.NoError(t, err)
		dump[table] = text
	}
	return dump
}

func memberStream(id uuid.UUID) events.Stream {
	return eventstoretest.Stream(events.MemberCategory, id)
}

func accountStream(id uuid.UUID) events.Stream {
	return eventstoretest.Stream(events.AccountCategory, id)
}

func organizationStream(id uuid.UUID) events.Stream {
	return eventstoretest.Stream(events.OrganizationCategory, id)
}

func founded(name string) events.OrganizationFounded {
	return events.OrganizationFounded{
		Name: name, Slug: "gestion", Plan: "free", ContactID: newID(),
		ContactEmail: events.PersonalText("contact@example.be"),
		ContactPhone: events.PersonalText("+32 2 123 45 67"), Language: "fr",
		Zone: "Europe/Brussels",
	}
}

// steps draws facts about a few buildings, members and the organization itself, and appends them.
func (w *world) steps(t *rapid.T, organization uuid.UUID, n int) {
	words := rapid.StringMatching(`[A-Za-zéÉ"\\<>& ]{1,12}`)
	if w.Heads[organization] == 0 {
		w.Append(t, organization, organizationStream(organization), founded("Gestion"))
	}
	var buildings, members, roles, mandates []uuid.UUID
	for range n {
		switch rapid.SampledFrom([]string{"new", "change", "change", "role", "mandate", "own"}).
			Draw(t, "what") {
		case "new":
			id := newID()
			buildings = append(buildings, id)
			w.Append(t, organization, buildingStream(id), registered(words.Draw(t, "name")))
		case "change":
			if len(buildings) == 0 {
				continue
			}
			i := rapid.IntRange(0, len(buildings)-1).Draw(t, "which")
			change := drawChange(t, words)
			w.Append(t, organization, buildingStream(buildings[i]), change)
			if _, removed := change.(events.BuildingRemoved); removed {
				buildings = append(buildings[:i:i], buildings[i+1:]...)
			}
		case "role":
			if len(roles) > 0 && rapid.Bool().Draw(t, "revoke") {
				w.Append(t, organization, memberStream(members[0]),
					events.MemberRoleRevoked{RoleID: roles[0]})
				roles, members = roles[1:], members[1:]
				continue
			}
			roles, members = append(roles, newID()), append(members, newID())
			w.Append(t, organization, memberStream(members[len(members)-1]),
				events.MemberRoleGranted{RoleID: roles[len(roles)-1], Role: "syndic"})
		case "mandate":
			mandates = w.mandate(t, organization, mandates, buildings)
		case "own":
			w.Append(t, organization, organizationStream(organization), drawOwn(t, words))
		}
	}
}

func (w *world) mandate(
	t *rapid.T, organization uuid.UUID, mandates, buildings []uuid.UUID,
) []uuid.UUID {
	stream := memberStream(organization) // one auditor
	if len(mandates) > 0 && rapid.Bool().Draw(t, "end") {
		w.Append(t, organization, stream, events.MemberMandateEnded{MandateID: mandates[0]})
		return mandates[1:]
	}
	id := newID()
	w.Append(t, organization, stream, events.MemberMandateGiven{
		MandateID: id, Buildings: buildings, From: "2026-01-01",
		To: rapid.SampledFrom([]events.Day{"", "2026-12-31"}).Draw(t, "to"),
	})
	return append(mandates, id)
}

func drawChange(t *rapid.T, words *rapid.Generator[string]) events.Event {
	switch rapid.IntRange(0, 5).Draw(t, "change") {
	case 0:
		return events.BuildingRenamed{Name: words.Draw(t, "name"), Slug: "a-b"}
	case 1:
		return events.BuildingAddressCorrected{
			Address: words.Draw(t, "address"), City: "Gent", PostalCode: "9000",
			Country: "Belgique", Entrances: rapid.SliceOfN(words, 0, 3).Draw(t, "entrances"),
			Zone: "Europe/Brussels",
		}
	case 2:
		return events.BuildingDeedAmended{
			Lots: rapid.IntRange(1, 99).Draw(t, "lots"), Shares: events.WholeShares(500),
		}
	case 3:
		return events.BuildingIdentified{
			ConstructionYear: rapid.SampledFrom([]int{0, 1968}).Draw(t, "year"),
		}
	case 4:
		return events.BuildingBankingChanged{WorkingIBAN: "BE68539007547034"}
	}
	return events.BuildingRemoved{}
}

func drawOwn(t *rapid.T, words *rapid.Generator[string]) events.Event {
	switch rapid.IntRange(0, 3).Draw(t, "own") {
	case 0:
		return events.OrganizationRenamed{Name: words.Draw(t, "name"), Slug: "autre"}
	case 1:
		return events.OrganizationPlanChanged{Plan: "starter"}
	case 2:
		return events.OrganizationSuspended{}
	}
	return events.OrganizationSettingsChanged{
		FourEyes: "on", Language: "nl", Zone: "Europe/Brussels",
		Rates: map[string]int{"late": 250},
	}
}

// building is the live row of a building; false when there is none.
func (w *world) building(
	t require.TestingT, organization, id uuid.UUID,
) (row projections.BuildingRow, found bool) {
	var text string
	err := w.admin.QueryRow(context.Background(),
		`select coalesce((select to_json(x)::text from read.buildings x
		                   where organization_id = $1 and id = $2), '')`,
		organization, id).Scan(&text)
	require.NoError(t, err)
	if text == "" {
		return row, false
	}
	require.NoError(t, json.Unmarshal([]byte(text), &row))
	row.CreatedAt, row.UpdatedAt = row.CreatedAt.UTC(), row.UpdatedAt.UTC()
	return row, true
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, 5*time.Millisecond, what)
}
