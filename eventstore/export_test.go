package eventstore_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

func TestExport(t *testing.T) {
	t.Parallel()
	l := newTampered(t)
	account := newID(t)
	require.NoError(t, l.store.Keyring().AccountKey(t.Context(), l.organization, account))
	stream := events.Stream{Category: events.AccountCategory, ID: account}
	mustAppend(t, l.store, eventstore.Append{
		Organization: l.organization, Subjects: nil,
		Metadata: eventstore.Metadata{Actor: account, Role: "syndic", Address: "192.0.2.7"},
		Streams: []eventstore.StreamAppend{{Stream: stream, Events: []events.Event{
			events.AccountProfileCorrected{
				AccountID: account, Email: events.PersonalText("anne@example.be"),
				FirstName: events.PersonalText("Anne <&> \u2028"),
			},
			events.AccountActivated{},
		}}},
	})
	var file bytes.Buffer
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	notary := l.store.Keyring().Notary()
	checkpoint, err := notary.Export(t.Context(), l.organization, at, &file)
	require.NoError(t, err)
	require.EqualValues(t, logSize+2, checkpoint.Size)
	whole := strings.SplitAfter(strings.TrimSuffix(file.String(), "\n"), "\n")
	require.Len(t, whole, logSize+2+2)

	check := func(t *testing.T, lines []string, against ...string) eventstore.OrganizationReport {
		t.Helper()
		report, err := eventstore.VerifyFile(strings.NewReader(strings.Join(lines, "")),
			eventstore.FileOptions{VerifierKey: checkpoint.VerifierKey, Against: against})
		require.NoError(t, err)
		require.Equal(t, report.Whole, len(report.Organizations[0].Findings) == 0)
		return report.Organizations[0]
	}
	with := func(at int, line string) []string {
		lines := append([]string{}, whole...)
		lines[at] = line
		return lines
	}
	const unreadable = "the line is not one that an export writes"

	t.Run("the file is whole, agrees with notes kept before and holds no person", func(t *testing.T) {
		t.Parallel()
		report := check(t, whole, l.kept...)
		requireFound(t, report)
		require.Equal(t, checkpoint.Root[:], report.Root)
		require.Equal(t, 3, report.Checkpoints)
		require.NotContains(t, file.String(), "example.be")
		require.NotContains(t, file.String(), "192.0.2.7")
	})

	t.Run("its lines hold the stored bytes", func(t *testing.T) {
		t.Parallel()
		for i, r := range log(t, l.store, l.organization) {
			var line struct{ Data, Metadata string }
			require.NoError(t, json.Unmarshal([]byte(whole[i+1]), &line))
			require.Equal(t, string(r.Data), line.Data)
			require.Equal(t, string(r.Metadata), line.Metadata)
		}
	})

	t.Run("a changed line is named", func(t *testing.T) {
		t.Parallel()
		requireFound(t, check(t, with(5, strings.Replace(whole[5], "Tilleuls", "Saules", 1))),
			"position 5: "+changed)
	})

	t.Run("a line written another way is refused", func(t *testing.T) {
		t.Parallel()
		for _, line := range []string{
			strings.Replace(whole[5], `{"position":5,`, `{"position":5, `, 1),
			strings.Replace(whole[5], `{"position":5,`, `{"position":6,"position":5,`, 1),
			strings.Replace(whole[5], `"data":`, `"DATA":`, 1), "nonsense\n", "\n",
		} {
			requireFound(t, check(t, with(5, line)),
				"position 5: "+unreadable, "position 5: "+missing)
		}
	})

	t.Run("a line taken out, and the end cut off", func(t *testing.T) {
		t.Parallel()
		requireFound(t, check(t, with(5, "")), "position 5: "+missing)
		requireFound(t, check(t, whole[:30]), "positions 30 to 39: "+cutOff,
			"position 39: the file is cut off before its checkpoint")
		requireFound(t, check(t, append(append([]string{}, whole...), "\n", whole[3])),
			"position 39: lines follow the checkpoint")
	})

	t.Run("another log's note or key does not pass", func(t *testing.T) {
		t.Parallel()
		note, err := json.Marshal(map[string]string{"checkpoint": l.kept[0]})
		require.NoError(t, err)
		requireFound(t, check(t, with(len(whole)-1, string(note))),
			"position 39: the file's checkpoint is not signed by the file's key over its size")
		stranger := newTampered(t).sign(t)
		requireFound(t, check(t, with(0, strings.Replace(whole[0],
			checkpoint.VerifierKey, stranger.VerifierKey, 1))),
			"position 39: the file names another verifier key than the one that was given")
	})

	t.Run("what is no log's file cannot be checked", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{"", "{}\n", "hello", `{"format":"koprogo-log/2"}`} {
			_, err := eventstore.VerifyFile(strings.NewReader(text), eventstore.FileOptions{})
			require.Error(t, err)
		}
	})

	t.Run("an organization without a log, and one that was tampered with", func(t *testing.T) {
		t.Parallel()
		_, err := notary.Export(t.Context(), newID(t), at, &bytes.Buffer{})
		require.ErrorContains(t, err, "no such log")
		other := newTampered(t)
		other.rewrite(t, 20)
		notary := other.store.Keyring().Notary()
		_, err = notary.Export(t.Context(), other.organization, at, &bytes.Buffer{})
		require.ErrorContains(t, err, "not those that the checkpoint signs")
	})
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()
	l := newTampered(t)
	ctx := t.Context()
	notary := l.store.Keyring().Notary()
	first := l.sign(t)

	t.Run("it is a note that the organization's key verifies", func(t *testing.T) {
		t.Parallel()
		read, err := eventstore.VerifyNote(first.Note, first.VerifierKey)
		require.NoError(t, err)
		require.Equal(t, first, read)
		require.True(t, strings.HasPrefix(first.Note,
			"koprogo/"+l.organization.String()+"\n37\n"))
		vkey, err := notary.VerifierKey(ctx, l.organization)
		require.NoError(t, err)
		require.Equal(t, vkey, first.VerifierKey)
	})

	t.Run("the same head gives the same checkpoint, the newest is the latest", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, first, l.sign(t))
		latest, found, err := notary.Latest(ctx, l.organization)
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, first, latest)
		_, found, err = notary.Latest(ctx, newID(t))
		require.NoError(t, err)
		require.False(t, found)
		vkey, err := notary.VerifierKey(ctx, newID(t))
		require.NoError(t, err)
		require.Empty(t, vkey, "looking makes no key")
	})

	t.Run("a changed text, another's key and a half note are refused", func(t *testing.T) {
		t.Parallel()
		other := newTampered(t).sign(t)
		for text, key := range map[string]string{
			strings.Replace(first.Note, "\n37\n", "\n36\n", 1): first.VerifierKey,
			first.Note:     other.VerifierKey,
			first.Note[:9]: first.VerifierKey,
			"":             first.VerifierKey,
			other.Note:     "nonsense",
		} {
			_, err := eventstore.VerifyNote(text, key)
			require.Error(t, err)
		}
		for _, text := range []string{
			"", "a\n\n", "koprogo/x\n1\nAAAA\n\n— x", first.Note[5:],
			strings.Replace(first.Note, "\n37\n", "\n037\n", 1),
			strings.Replace(first.Note, "\n37\n", "\n-7\n", 1),
		} {
			_, err := eventstore.ReadNote(text)
			require.Error(t, err)
		}
	})

	t.Run("a size is never signed with two roots", func(t *testing.T) {
		t.Parallel()
		changed := newTampered(t)
		changed.sign(t)
		changed.rewrite(t, 20)
		changed.rewriteHead(t, logSize)
		head, err := changed.store.Head(ctx, changed.organization)
		require.NoError(t, err)
		_, err = changed.store.Keyring().Notary().Sign(ctx, head)
		require.ErrorContains(t, err, "another root was signed")
	})
}
