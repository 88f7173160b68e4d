package queries_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
	"github.com/koprogo/koprogo/queries"
)

func ownerStream(id uuid.UUID) events.Stream { return stream(events.OwnerCategory, id) }

func profile(first, last string) events.OwnerProfile {
	return events.OwnerProfile{
		Kind: "person", FirstName: events.PersonalText(first), LastName: events.PersonalText(last),
		Email: events.PersonalText(first + "@example.be"), City: events.PersonalText("Gent"),
	}
}

func (w *world) owner(
	t require.TestingT, organization uuid.UUID, p events.OwnerProfile,
) uuid.UUID {
	id := newID()
	w.append(t, organization, ownerStream(id), events.OwnerRegistered{OwnerID: id, Profile: p})
	return id
}

// named lists owners, first and last name.
func (w *world) named(t require.TestingT, l queries.OwnerList) []string {
	if l.Page.Size == 0 {
		l.Page.Number, l.Page.Size = 1, 100
	}
	listed, err := w.reader.Owners(context.Background(), l)
	require.NoError(t, err)
	names := []string{}
	for _, o := range listed.Items {
		names = append(names, strings.TrimSpace(o.FirstName+" "+o.LastName+o.CompanyName))
	}
	return names
}

func TestOwners(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization, elsewhere := newID(), newID()
	in := queries.In(organization)
	zoe := w.owner(t, organization, profile("Zoé", "dubois"))
	w.owner(t, organization, profile("Élise", "Dubois"))
	bart := w.owner(t, organization, profile("Bart", "Érard"))
	w.owner(t, organization, events.OwnerProfile{
		Kind: "company", CompanyName: events.PersonalText("Ecobel"),
		Email: events.PersonalText("info@ecobel.be"),
	})
	w.owner(t, elsewhere, profile("Odile", "Aerts"))
	by := func(sort string, descending bool) queries.OwnerList {
		return queries.OwnerList{Span: in, Page: queries.Page{
			Number: 1, Size: 10, Sort: sort, Descending: descending,
		}}
	}

	t.Run("by last name, then first, a company by its own, é beside e", func(t *testing.T) {
		require.Equal(t, []string{"Zoé dubois", "Élise Dubois", "Ecobel", "Bart Érard"},
			w.named(t, queries.OwnerList{Span: in}))
	})
	t.Run("by first name, e-mail and age, in both directions", func(t *testing.T) {
		require.Equal(t, []string{"Ecobel", "Bart Érard", "Élise Dubois", "Zoé dubois"},
			w.named(t, by("first_name", false)))
		require.Equal(t, []string{"Zoé dubois", "Ecobel", "Élise Dubois", "Bart Érard"},
			w.named(t, by("email", true)))
		require.Equal(t, []string{"Ecobel", "Bart Érard", "Élise Dubois", "Zoé dubois"},
			w.named(t, by("created_at", true)))
	})
	t.Run("a part of a name or of the e-mail is found, in any case", func(t *testing.T) {
		require.Equal(t, []string{"Élise Dubois"},
			w.named(t, queries.OwnerList{Span: in, Q: "ÉLISE D"}))
		require.Equal(t, []string{"Ecobel"}, w.named(t, queries.OwnerList{Span: in, Q: "info@"}))
		require.Empty(t, w.named(t, queries.OwnerList{Span: in, Q: "odile"}))
	})
	t.Run("only those that the reader may see", func(t *testing.T) {
		l := by("last_name", false)
		l.Only = map[uuid.UUID]struct{}{bart: {}, zoe: {}}
		require.Equal(t, []string{"Zoé dubois", "Bart Érard"}, w.named(t, l))
		l.Only = map[uuid.UUID]struct{}{}
		require.Empty(t, w.named(t, l))
	})
	t.Run("over all organizations", func(t *testing.T) {
		require.Equal(t, "Odile Aerts", w.named(t, queries.OwnerList{Span: queries.Everywhere()})[0])
		require.Len(t, w.named(t, queries.OwnerList{Span: queries.Everywhere()}), 5)
	})
	t.Run("one owner by id, account and moment", func(t *testing.T) {
		account := newID()
		linked := w.append(t, organization, ownerStream(zoe),
			events.OwnerAccountLinked{AccountID: account})
		w.append(t, organization, ownerStream(zoe),
			events.OwnerProfileCorrected{OwnerID: zoe, Profile: profile("Zoé", "Maes")})
		found, err := w.reader.OwnerByID(t.Context(), in, zoe)
		require.NoError(t, err)
		require.Equal(t, "Maes", found.Item.LastName)
		require.Equal(t, "Gent", found.Item.City)
		require.EqualValues(t, 3, found.Item.Version)
		byAccount, err := w.reader.OwnerByAccount(t.Context(), organization, account)
		require.NoError(t, err)
		require.Equal(t, found.Item, byAccount.Item)
		anywhere, err := w.reader.OwnerByID(t.Context(), queries.Everywhere(), zoe)
		require.NoError(t, err)
		require.Equal(t, found.Item, anywhere.Item)
		then, err := w.reader.OwnerAt(t.Context(), organization, zoe,
			queries.Moment{Position: linked.Position})
		require.NoError(t, err)
		require.Equal(t, "dubois", then.Item.LastName)
		require.EqualValues(t, 2, then.Item.Version)
		for _, other := range []func() error{
			func() error {
				_, err := w.reader.OwnerByID(t.Context(), queries.In(elsewhere), zoe)
				return err
			},
			func() error {
				_, err := w.reader.OwnerByAccount(t.Context(), elsewhere, account)
				return err
			},
			func() error {
				_, err := w.reader.OwnerAt(t.Context(), elsewhere, zoe, queries.Moment{})
				return err
			},
		} {
			require.ErrorIs(t, other(), queries.ErrNotFound)
		}
	})
	t.Run("an erased owner has no name in the list and is gone by id", func(t *testing.T) {
		position := w.append(t, organization, ownerStream(bart),
			events.OwnerProfileCorrected{OwnerID: bart, Profile: profile("Bart", "Zwart")}).Position
		require.Contains(t, w.named(t, queries.OwnerList{Span: in}), "Bart Zwart")
		w.exec(t, `delete from log.keys where subject = $1`, bart)
		w.Store.Keyring().Forget(organization, bart)
		erased := w.append(t, organization, ownerStream(bart),
			events.PersonErased{Subject: bart, Ground: "request"})
		listed, err := w.reader.Owners(t.Context(), by("last_name", false))
		require.NoError(t, err)
		require.Equal(t, bart, listed.Items[0].ID)
		require.Equal(t, erased.RecordedAt, listed.Items[0].ErasedAt)
		require.Empty(t, listed.Items[0].FirstName+listed.Items[0].City)
		require.Empty(t, w.named(t, queries.OwnerList{Span: in, Q: "bart"}))
		_, err = w.reader.OwnerByID(t.Context(), in, bart)
		require.ErrorIs(t, err, eventstore.ErrErased)
		_, err = w.reader.OwnerAt(t.Context(), organization, bart,
			queries.Moment{Position: position})
		require.ErrorIs(t, err, eventstore.ErrErased)
	})
}

// What the index answers after any changes is what the sorted list of the owners is, page by page,
// by numbers and by cursors.
func TestTheIndexIsNeverBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		organization := newID()
		names := map[uuid.UUID]string{}
		for range rapid.IntRange(1, 12).Draw(t, "n") {
			name := rapid.SampledFrom([]string{"A", "B", "C", "D"}).Draw(t, "name")
			ids := []uuid.UUID{}
			for id := range names {
				ids = append(ids, id)
			}
			slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
			switch what := rapid.IntRange(0, 3).Draw(t, "what"); {
			case what == 0 || len(ids) == 0:
				names[w.owner(t, organization, profile("X", name))] = name
			case what == 1:
				id := rapid.SampledFrom(ids).Draw(t, "who")
				w.append(t, organization, ownerStream(id), events.OwnerRemoved{})
				delete(names, id)
			default:
				id := rapid.SampledFrom(ids).Draw(t, "who")
				w.append(t, organization, ownerStream(id),
					events.OwnerProfileCorrected{OwnerID: id, Profile: profile("X", name)})
				names[id] = name
			}
			descending := rapid.Bool().Draw(t, "descending")
			want := sortedNames(names, descending)
			q := rapid.SampledFrom([]string{"", "", "x"}).Draw(t, "q")
			byNumber, byCursor := w.walk(t, organization, q, descending)
			require.Equal(t, want, byNumber)
			require.Equal(t, want, byCursor)
		}
	})
}

func sortedNames(names map[uuid.UUID]string, descending bool) []string {
	want := []string{}
	for id, name := range names {
		want = append(want, name+" "+id.String())
	}
	slices.Sort(want)
	if descending {
		slices.Reverse(want)
	}
	return want
}

// walk reads the whole list in pages of two.
func (w *world) walk(
	t require.TestingT, organization uuid.UUID, q string, descending bool,
) (byNumber, byCursor []string) {
	byNumber, byCursor = []string{}, []string{}
	page := queries.Page{Number: 1, Size: 2, Sort: "last_name", Descending: descending}
	list := func() queries.Listed[queries.Owner] {
		listed, err := w.reader.Owners(context.Background(),
			queries.OwnerList{Span: queries.In(organization), Q: q, Page: page})
		require.NoError(t, err)
		return listed
	}
	for {
		listed := list()
		for _, o := range listed.Items {
			byNumber = append(byNumber, o.LastName+" "+o.ID.String())
		}
		if len(listed.Items) == 0 {
			break
		}
		page.Number++
	}
	page.Number = 1
	for {
		listed := list()
		for _, o := range listed.Items {
			byCursor = append(byCursor, o.LastName+" "+o.ID.String())
		}
		require.EqualValues(t, len(byNumber), listed.Total)
		if page.After = listed.Next; page.After == nil {
			return byNumber, byCursor
		}
	}
}

func TestReadersAndWritersOfOneIndex(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	organization := newID()
	owners := make([]uuid.UUID, 20)
	for i := range owners {
		owners[i] = w.owner(t, organization, profile("X", fmt.Sprint("Name ", i)))
	}
	done, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for n := range 8 {
		readers.Go(func() {
			for done.Err() == nil {
				listed, err := w.reader.Owners(context.Background(), queries.OwnerList{
					Span: queries.In(organization), Q: []string{"", "name"}[n%2],
					Page: queries.Page{
						Number: 1, Size: 50, Sort: queries.OwnerSorts[n%len(queries.OwnerSorts)],
					},
				})
				if err != nil || len(listed.Items) != len(owners) || listed.Total != 20 {
					t.Errorf("%d of %d: %v", len(listed.Items), listed.Total, err)
					return
				}
			}
		})
	}
	for i := range 60 {
		id := owners[i%len(owners)]
		name := fmt.Sprint("Name ", 100+i)
		w.append(t, organization, ownerStream(id),
			events.OwnerProfileCorrected{OwnerID: id, Profile: profile("X", name)})
		require.Contains(t, w.named(t, queries.OwnerList{Span: queries.In(organization)}), "X "+name)
	}
	cancel()
	readers.Wait()
}
