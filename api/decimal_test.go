package api

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/events"
)

func TestDecimals(t *testing.T) {
	t.Parallel()
	t.Run("an amount is read without floating point and written with two places", func(t *testing.T) {
		for text, want := range map[string]string{
			`1210`: `"1210.00"`, `"1210.00"`: `"1210.00"`, `0.1`: `"0.10"`, `-5.5`: `"-5.50"`,
			`1.21e3`: `"1210.00"`, `9999999999.99`: `"9999999999.99"`, `0`: `"0.00"`,
			`0.30000000000000004`: `"0.30"`, `19.989999999999998`: `"19.99"`,
		} {
			var m Money
			require.NoError(t, json.Unmarshal([]byte(text), &m), text)
			written, err := json.Marshal(m)
			require.NoError(t, err)
			require.Equal(t, want, string(written), text)
		}
	})
	t.Run("a tail below 1e-9 is rounded half up, a longer one is refused", func(t *testing.T) {
		for text, want := range map[string]int64{
			"0.011000000000000001": 11_000, "0.3333330000000004": 333_333, "1": 1_000_000,
		} {
			read, err := parseDecimal(text, 6)
			require.NoError(t, err, text)
			require.Equal(t, want, read)
		}
		for _, text := range []string{"0.3333333", "0.000000001", "0.0110000010"} {
			_, err := parseDecimal(text, 6)
			require.ErrorAs(t, err, new(fieldError), text)
		}
		_, err := parseDecimal("0.000000001", 2)
		require.Error(t, err, "a difference of exactly 1e-9 is not less")
		_, err = parseDecimal("0.0000000009", 2)
		require.NoError(t, err)
	})
	t.Run("what is no decimal is refused", func(t *testing.T) {
		for _, text := range []string{
			"", "-", ".5", "5.", "+5", "1,5", " 5", "0x10", "1/3", "1e", "1e99", "NaN", "Inf",
			"1_000", "１",
		} {
			_, err := parseDecimal(text, 2)
			require.Error(t, err, text)
		}
	})
	t.Run("shares are numbers without trailing zeros", func(t *testing.T) {
		var q Quota
		require.NoError(t, json.Unmarshal([]byte(`"412.5"`), &q))
		require.Equal(t, Quota(4_125_000), q)
		written, err := json.Marshal(q)
		require.NoError(t, err)
		require.Equal(t, "412.5", string(written))
	})
	t.Run("ratios have six places, reports two", func(t *testing.T) {
		written, err := json.Marshal([]any{Ratio(333_333), Ratio(1_000_000), Amount(-5)})
		require.NoError(t, err)
		require.Equal(t, "[0.333333,1.000000,-0.05]", string(written))
	})
	t.Run("a fraction keeps its terms, a decimal becomes the fraction that it is", func(t *testing.T) {
		for given, want := range map[string]string{
			`"2/6"`: "2/6", "0.5": "1/2", `"0.5"`: "1/2", "0.333333": "333333/1000000",
			"1": "1/1", "0.6000000000000001": "3/5", "1e-6": "1/1000000",
		} {
			var f Fraction
			require.NoError(t, f.UnmarshalJSON([]byte(given)), given)
			written, err := json.Marshal(f)
			require.NoError(t, err)
			require.Equal(t, `"`+want+`"`, string(written))
		}
		for _, wrong := range []string{
			`"0/1"`, `"1/0"`, `"1/2/3"`, `"1/1000001"`, `"-1/2"`, `"1/ 2"`, `""`, "0", "1.1", "-1",
			"0.3333333", "true", "[]", "1e-7", `"x"`, `"/"`,
		} {
			require.Error(t, new(Fraction).UnmarshalJSON([]byte(wrong)), wrong)
			require.Error(t, new(Percentage).UnmarshalJSON([]byte(wrong)), wrong)
		}
		require.Error(t, new(Percentage).UnmarshalJSON([]byte(`"1/2"`)))
	})
}

func TestDecimalProperties(t *testing.T) {
	t.Parallel()
	t.Run("what an amount writes it reads again", rapid.MakeCheck(func(t *rapid.T) {
		cents := rapid.Int64Range(-maxMoney, maxMoney).Draw(t, "cents")
		written, err := json.Marshal(Money(cents))
		require.NoError(t, err)
		var read Money
		require.NoError(t, json.Unmarshal(written, &read))
		require.Equal(t, Money(cents), read)
	}))
	t.Run("any text is read or refused", rapid.MakeCheck(func(t *rapid.T) {
		_, _ = parseDecimal(rapid.StringMatching(`[-+0-9.eE]{0,80}`).Draw(t, "text"), 2)
	}))
}

func TestDates(t *testing.T) {
	t.Parallel()
	brussels, err := time.LoadLocation("Europe/Brussels")
	require.NoError(t, err)
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	for text, want := range map[string][2]events.Day{
		"2026-03-15":                {"2026-03-15", "2026-03-15"},
		"2026-03-15T00:00:00Z":      {"2026-03-15", "2026-03-15"}, // what answers write
		"2026-03-14T23:00:00Z":      {"2026-03-15", "2026-03-14"}, // midnight in Brussels
		"2026-03-15T23:30:00Z":      {"2026-03-16", "2026-03-15"},
		"2026-07-01T00:30:00+02:00": {"2026-07-01", "2026-06-30"},
	} {
		var date Date
		require.NoError(t, date.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, [2]events.Day{date.In(brussels), date.In(newYork)}, text)
	}
	written, err := json.Marshal([]any{DayDate("2026-03-15"), DayDate("")})
	require.NoError(t, err)
	require.Equal(t, `["2026-03-15T00:00:00Z",null]`, string(written))

	instant := Instant(time.Date(2026, 3, 15, 10, 0, 0, 123_456_789, brussels))
	written, err = json.Marshal([]any{instant, Instant{}})
	require.NoError(t, err)
	require.Equal(t, `["2026-03-15T09:00:00.123456Z",null]`, string(written))
}
