package api_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/eventstore"
)

func TestWhoReadsPeopleInTheLogIsRecorded(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	organization := o.organization(t)
	syndic, auditor := o.signedIn(t, organization, "syndic"), o.signedIn(t, organization, "auditor")
	made := o.ask(t, syndic, "POST", "/owners", newOwner()).ok(201)
	position := made.header.Get("Koprogo-Position")
	readings := func(request string) (n int) {
		require.NoError(t, o.store.Pool(eventstore.RoleJobs).QueryRow(t.Context(),
			`select count(*) from log.access where organization_id = $1 and subject = $2
			    and actor = $3 and resource = $4 and request_id = $5`,
			organization, uuid.MustParse(made.get("id")), auditor.id, "log/"+made.get("id"),
			request).Scan(&n))
		return n
	}
	for request, path := range map[string]string{
		"one-event": "/audit/log/" + position,
		"a-page":    "/audit/log?type=owner.registered",
	} {
		got := o.ask(t, auditor, "GET", path, nil, "X-Request-Id", request).ok(200)
		require.Contains(t, got.text, made.get("last_name"), "it is read in clear")
		require.Eventually(t, func() bool { return readings(request) == 1 }, 10*time.Second,
			20*time.Millisecond)
	}
}
