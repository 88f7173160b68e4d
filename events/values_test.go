package events_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
)

func TestSharesAreWrittenAsExactDecimals(t *testing.T) {
	t.Parallel()
	for shares, text := range map[events.Shares]string{
		0: "0", 1: "0.0001", 10: "0.001", 12_500: "1.25", 10_000: "1", -12_500: "-1.25",
		-1: "-0.0001", events.WholeShares(10_000_000): "10000000", 123_456: "12.3456",
	} {
		require.Equal(t, text, shares.String())
	}
}

func TestParseIBAN(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]events.IBAN{
		"BE68 5390 0754 7034":             "BE68539007547034",
		"be68539007547034":                "BE68539007547034",
		"GB82 WEST 1234 5698 7654 32":     "GB82WEST12345698765432",
		"MT84MALT011000012345MTLCAST001S": "MT84MALT011000012345MTLCAST001S",
	} {
		iban, err := events.ParseIBAN(text)
		require.NoError(t, err)
		require.Equal(t, want, iban)
	}
	for _, text := range []string{
		"", "BE", "BE68539007547035", "BE69539007547034", "1E68539007547034", "BE6853900754703!",
		"BE68" + strings.Repeat("1", 31),
	} {
		_, err := events.ParseIBAN(text)
		require.Error(t, err, text)
	}
}

func TestAnIBANWithOneDigitWrongIsRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := []byte("BE68539007547034")
		at := rapid.IntRange(2, len(text)-1).Draw(t, "at")
		by := rapid.IntRange(1, 9).Draw(t, "by")
		text[at] = byte('0' + (int(text[at]-'0')+by)%10)
		_, err := events.ParseIBAN(string(text))
		require.Error(t, err)
	})
}

func TestParseEnterpriseNumber(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0123456749", "BE 0123.456.749", "be0123456749"} {
		number, err := events.ParseEnterpriseNumber(text)
		require.NoError(t, err)
		require.Equal(t, events.EnterpriseNumber("0123456749"), number)
	}
	for _, text := range []string{"", "0123456748", "2123456749", "123456749", "01234567499", "x"} {
		_, err := events.ParseEnterpriseNumber(text)
		require.Error(t, err, text)
	}
}

func TestParseEmail(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Anna.Peeters@IMMO.Be": "Anna.Peeters@immo.be",
		" a+b@x.co.uk ":        "a+b@x.co.uk",
		"jérôme@exemple.fr":    "jérôme@exemple.fr",
	} {
		address, err := events.ParseEmail(text)
		require.NoError(t, err)
		require.Equal(t, want, address)
	}
	for _, text := range []string{
		"", "a", "a@b", "@b.be", "a@", "a b@c.be", "a@b..be", "a@.be", "a@b.be.", "a@b@c.be",
		"<a>@b.be", `"a"@b.be`, strings.Repeat("a", 65) + "@b.be",
		"a@" + strings.Repeat("b", 250) + ".be",
	} {
		_, err := events.ParseEmail(text)
		require.Error(t, err, text)
	}
	require.Equal(t, "anna@immo.be", events.NormalEmail(" Anna@immo.BE"))
}

func TestParseDay(t *testing.T) {
	t.Parallel()
	day, err := events.ParseDay("2024-02-29")
	require.NoError(t, err)
	require.Equal(t, events.Day("2024-02-29"), day)
	for _, text := range []string{"", "2023-02-29", "2024-2-1", "2024-01-01T00:00:00Z"} {
		_, err := events.ParseDay(text)
		require.Error(t, err, text)
	}
}

func TestParseStream(t *testing.T) {
	t.Parallel()
	stream := events.Stream{Category: "building", ID: uuid.New()}
	parsed, err := events.ParseStream(stream.String())
	require.NoError(t, err)
	require.Equal(t, stream, parsed)
	require.False(t, stream.IsZero())
	require.True(t, events.Stream{}.IsZero())
	for _, text := range []string{
		"", "building", "-" + uuid.NewString(), "building-", "building-x",
		"building-{" + uuid.NewString() + "}",
	} {
		_, err := events.ParseStream(text)
		require.Error(t, err, text)
	}
}
