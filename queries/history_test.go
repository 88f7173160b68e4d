package queries_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

func TestBuildingHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, id := newID(), newID()
	anne := w.user(t, organization, "Anne", "syndic")
	base := w.append(t, organization, buildingStream(newID()), registered("Autre")).Position
	w.by(t, anne, organization, buildingStream(id), registered("A"))
	renamed := w.by(t, anne, organization, buildingStream(id),
		events.BuildingRenamed{Name: "B", Slug: "b"})
	amended := w.append(t, organization, buildingStream(id),
		events.BuildingDeedAmended{Lots: 12, Shares: events.WholeShares(1000)},
		events.BuildingRemoved{})
	history := func(f queries.LogFilter, p queries.Page, language string) []queries.Happening {
		f.Organization, f.Building = organization, id
		if p.Size == 0 {
			p.Number, p.Size = 1, 10
		}
		listed, err := w.reader.BuildingHistory(t.Context(), f, p, language)
		require.NoError(t, err)
		return listed.Items
	}
	labels := func(happenings []queries.Happening) (all []string) {
		for _, h := range happenings {
			all = append(all, h.Label)
		}
		return all
	}

	t.Run("every event is told in the reader's language", func(t *testing.T) {
		require.Equal(t, []string{
			"Immeuble enregistré : A", "Immeuble renommé : A → B",
			"Acte de base modifié : 10 → 12", "Immeuble retiré",
		}, labels(history(queries.LogFilter{}, queries.Page{}, "fr")))
		require.Equal(t, "Gebouw hernoemd: A → B",
			history(queries.LogFilter{}, queries.Page{}, "nl")[1].Label)
		require.Equal(t, "Building renamed: A → B",
			history(queries.LogFilter{}, queries.Page{}, "de")[1].Label)
	})
	t.Run("an entry says who, when, what changed and its leaf", func(t *testing.T) {
		h := history(queries.LogFilter{}, queries.Page{}, "en")[1]
		require.Equal(t, base+2, h.Position)
		require.EqualValues(t, 2, h.Version)
		require.Equal(t, buildingStream(id), h.Stream)
		require.Equal(t, renamed.RecordedAt, h.RecordedAt)
		require.Equal(t, queries.Actor{ID: anne, Role: "syndic", Name: "Anne Peeters"}, h.Actor)
		require.Equal(t, "request-1", h.CorrelationID)
		require.JSONEq(t, `{"name":"B","slug":"b"}`, string(h.Data))
		require.NotZero(t, h.LeafHash)
		require.Equal(t, []queries.FieldChange{
			{
				Resource: "buildings", ID: id.String(), Field: "name",
				From: json.RawMessage(`"A"`), To: json.RawMessage(`"B"`),
			},
			{
				Resource: "buildings", ID: id.String(), Field: "slug",
				From: json.RawMessage(`""`), To: json.RawMessage(`"b"`),
			},
		}, h.Changes)
	})
	t.Run("filters and order choose", func(t *testing.T) {
		require.Equal(t, "Immeuble retiré",
			labels(history(queries.LogFilter{}, queries.Page{
				Number: 1, Size: 1, Descending: true,
			}, "fr"))[0])
		require.Len(t, history(queries.LogFilter{Type: "building.renamed"}, queries.Page{}, ""), 1)
		require.Len(t, history(queries.LogFilter{Actor: anne}, queries.Page{}, ""), 2)
		require.Len(t, history(queries.LogFilter{From: amended.RecordedAt}, queries.Page{}, ""), 2)
		require.Len(t, history(queries.LogFilter{Before: amended.RecordedAt}, queries.Page{}, ""), 2)
		require.Len(t, history(queries.LogFilter{Stream: buildingStream(id)}, queries.Page{}, ""), 4)
		require.Empty(t, history(queries.LogFilter{Type: "building.identified"}, queries.Page{}, ""))
	})
	t.Run("pages go on where the one before ended, either way", func(t *testing.T) {
		for _, descending := range []bool{false, true} {
			var walked []int64
			page := queries.Page{Number: 1, Size: 3, Descending: descending}
			for {
				listed, err := w.reader.BuildingHistory(t.Context(), queries.LogFilter{
					Organization: organization, Building: id,
				}, page, "fr")
				require.NoError(t, err)
				require.EqualValues(t, 4, listed.Total)
				for _, h := range listed.Items {
					walked = append(walked, h.Version)
				}
				if page.After = listed.Next; page.After == nil {
					break
				}
			}
			want := []int64{1, 2, 3, 4}
			if descending {
				want = []int64{4, 3, 2, 1}
			}
			require.Equal(t, want, walked)
		}
	})
	t.Run("a building that never was is not found, nor one outside the mandate", func(t *testing.T) {
		page := queries.Page{Number: 1, Size: 10}
		for _, f := range []queries.LogFilter{
			{Organization: organization, Building: newID()},
			{Organization: newID(), Building: id},
			{
				Organization: organization, Building: id,
				Within: []queries.Within{{Buildings: []uuid.UUID{newID()}}},
			},
		} {
			_, err := w.reader.BuildingHistory(t.Context(), f, page, "fr")
			require.ErrorIs(t, err, queries.ErrNotFound)
		}
	})
}

func TestAuditLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, building, account := newID(), newID(), newID()
	w.append(t, organization, buildingStream(building), registered("A"))
	contact := newID()
	w.append(t, organization, stream(events.OrganizationCategory, organization),
		events.OrganizationFounded{
			Name: "Gestion", ContactID: contact, ContactEmail: events.PersonalText("a@b.be"),
			Zone: "Europe/Brussels",
		})
	w.append(t, organization, stream(events.MemberCategory, account),
		events.MemberRoleGranted{RoleID: newID(), Role: "auditor"})
	page := queries.Page{Number: 1, Size: 10}

	t.Run("personal texts are in clear", func(t *testing.T) {
		listed, err := w.reader.AuditLog(t.Context(),
			queries.LogFilter{Organization: organization}, page)
		require.NoError(t, err)
		require.EqualValues(t, 3, listed.Total)
		require.Len(t, listed.Items, 3)
		require.Equal(t, building, listed.Items[0].Building)
		require.Contains(t, string(listed.Items[1].Data), `"contact_email":"a@b.be"`)
		require.Equal(t, queries.Actor{}, listed.Items[2].Actor)
	})
	t.Run("a reader goes on behind a position", func(t *testing.T) {
		listed, err := w.reader.AuditLog(t.Context(),
			queries.LogFilter{Organization: organization, After: 2}, page)
		require.NoError(t, err)
		require.Len(t, listed.Items, 1)
		require.EqualValues(t, 3, listed.Items[0].Position)
	})
	t.Run("mandates cover what they name and nothing else", func(t *testing.T) {
		for want, within := range map[int][]queries.Within{
			0: {},
			1: {{Buildings: []uuid.UUID{building}}},
			3: {{Buildings: []uuid.UUID{building}, Before: time.Unix(1, 0)}, {From: time.Unix(1, 0)}},
		} {
			listed, err := w.reader.AuditLog(t.Context(),
				queries.LogFilter{Organization: organization, Within: within}, page)
			require.NoError(t, err)
			require.Len(t, listed.Items, want)
			require.EqualValues(t, want, listed.Total)
		}
		only := []queries.Within{{Buildings: []uuid.UUID{building}}}
		_, err := w.reader.AuditEntry(t.Context(), organization, 1, only)
		require.NoError(t, err)
		_, err = w.reader.AuditEntry(t.Context(), organization, 2, only)
		require.ErrorIs(t, err, queries.ErrNotFound)
	})
	t.Run("an erased person's texts are null, and the time of the erasure is told",
		func(t *testing.T) {
			w.exec(t, `delete from log.keys where organization_id = $1 and subject = $2`,
				organization, contact)
			w.Store.Keyring().Forget(organization, contact)
			erased := w.append(t, organization, stream(events.OrganizationCategory, organization),
				events.PersonErased{Subject: contact, Ground: "request"})
			entry, err := w.reader.AuditEntry(t.Context(), organization, 2, nil)
			require.NoError(t, err)
			require.Contains(t, string(entry.Data), `"contact_email":null`)
			found, err := w.reader.OrganizationByID(t.Context(), organization)
			require.NoError(t, err)
			require.Empty(t, found.Item.ContactEmail)
			require.Equal(t, erased.RecordedAt, found.Item.ErasedAt)
		})
}

func TestJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, id := newID(), newID()
	w.exec(t, `insert into log.jobs
		(organization_id, id, actor, kind, status, progress, finished_at, result)
		values ($1, $2, $2, 'verify', 'done', 100, now(), '{"whole":true}')`, organization, id)
	job, err := w.reader.JobByID(t.Context(), organization, id)
	require.NoError(t, err)
	require.Equal(t, "done", job.Status)
	require.JSONEq(t, `{"whole":true}`, string(job.Result))
	require.NotNil(t, job.FinishedAt)
	_, err = w.reader.JobByID(t.Context(), newID(), id)
	require.ErrorIs(t, err, queries.ErrNotFound)
}
