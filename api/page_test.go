package api

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func (g got) page(t *testing.T) Paged[map[string]any] {
	t.Helper()
	require.Equal(t, 200, g.status, string(g.body))
	var page Paged[map[string]any]
	require.NoError(t, json.Unmarshal(g.body, &page))
	return page
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for i := range 5 {
		id := uuid.Must(uuid.NewV7())
		s.yard.parcels[id] = parcel{ID: id, Name: fmt.Sprintf("parcel %d", i)}
	}

	t.Run("a page says where it stands", func(t *testing.T) {
		t.Parallel()
		page := s.get(t, "/api/v1/parcels?page=2&per_page=2").page(t)
		require.Len(t, page.Data, 2)
		require.Equal(t, "parcel 2", page.Data[0]["name"])
		cursor := page.Pagination.NextCursor
		require.NotNil(t, cursor)
		page.Pagination.NextCursor = nil
		require.Equal(t, Pagination{
			CurrentPage: 2, PerPage: 2, TotalItems: 5, TotalPages: 3, HasNext: true,
			HasPrevious: true,
		}, page.Pagination)
	})
	t.Run("cursors lead to the end", func(t *testing.T) {
		t.Parallel()
		path, names := "/api/v1/parcels?per_page=2&city=Ath", []any{}
		for next := path; next != ""; {
			page := s.get(t, next).page(t)
			for _, one := range page.Data {
				names = append(names, one["name"])
			}
			if next = ""; page.Pagination.NextCursor != nil {
				require.True(t, page.Pagination.HasNext)
				next = path + "&cursor=" + *page.Pagination.NextCursor
			} else {
				require.False(t, page.Pagination.HasNext)
				require.Equal(t, 3, page.Pagination.CurrentPage)
			}
		}
		require.Equal(t, []any{"parcel 0", "parcel 1", "parcel 2", "parcel 3", "parcel 4"}, names)
	})
	t.Run("a cursor belongs to one organization, list, sort and filters", func(t *testing.T) {
		t.Parallel()
		cursor := *s.get(t, "/api/v1/parcels?per_page=2").page(t).Pagination.NextCursor
		require.Equal(t, 200, s.get(t, "/api/v1/parcels?per_page=3&cursor="+cursor).status)
		tampered := cursor[:len(cursor)-2] + "AA"
		for _, rest := range []string{
			cursor + "&sort_by=price", cursor + "&order=desc", cursor + "&city=Ath", tampered,
			cursor + "x", url.QueryEscape(cursor + "="),
		} {
			answer := s.get(t, "/api/v1/parcels?cursor="+rest)
			require.Equal(t, 400, answer.status, rest)
			require.Equal(t, CodeInvalidCursor, answer.problem(t).Code)
		}
		admin := []string{"Authorization", "Bearer admin-token"}
		answer := s.get(t, "/api/v1/parcels?cursor="+cursor, admin...)
		require.Equal(t, CodeInvalidCursor, answer.problem(t).Code)
		require.Equal(t, 400, s.get(t, "/api/v1/parcels?page=1&cursor="+cursor).status)
	})
	t.Run("order and sort reach the query", func(t *testing.T) {
		require.Equal(t, 200, s.get(t, "/api/v1/parcels?sort_by=price&order=desc").status)
		require.Equal(t, "price", s.yard.lastPage.Sort)
		require.True(t, s.yard.lastPage.Descending)
	})
	t.Run("the last page that numbers reach is the ten thousandth row", func(t *testing.T) {
		require.Equal(t, 200, s.get(t, "/api/v1/parcels?page=100&per_page=100").status)
		answer := s.get(t, "/api/v1/parcels?page=101&per_page=100")
		require.Equal(t, CodePageTooFar, answer.problem(t).Errors[0].Code)
	})
	t.Run("an empty page is an empty list", func(t *testing.T) {
		answer := s.get(t, "/api/v1/parcels?page=9")
		require.Contains(t, string(answer.body), `"data":[]`)
		require.Contains(t, string(answer.body), `"next_cursor":null`)
	})
}
