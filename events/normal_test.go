package events

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTextsThatLookTheSameAreTheSame(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"rené@ex.be", "rene\u0301@ex.be", "RENÉ@EX.BE", "RENE\u0301@ex.be", " rené@ex.be "},
		{
			"anna@ex.be", "ａnna@ex.be", "ＡNNA@ex.be", "an\u200bna@ex.be", "anna\u00ad@ex.be",
			"\u2060anna@ex.be", "anna\ufe0f@ex.be",
		},
		{"a 12", "A\u00a012", "Ａ  １２", "a\u200f 12"},
	} {
		for _, text := range same {
			require.Equal(t, same[0], NormalText(text), "%q", text)
			require.Equal(t, same[0], NormalEmail(text), "%q", text)
			require.Equal(t, same[0], NormalSupplier(text), "%q", text)
		}
	}
	require.NotEqual(t, NormalText("A²"), NormalText("A2"))
	require.NotEqual(t, NormalText("a.b@ex.be"), NormalText("ab@ex.be"))
}

func TestAnAddressHasNothingThatIsNotSeen(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"an\u200bna@ex.be", "anna\u00ad@ex.be", "anna@ex.be.", "anna@ex\u200b.be", "anna\x00@ex.be",
		"anna@ｅx.be", "anna@ex。be",
	} {
		_, err := ParseEmail(text)
		require.Error(t, err, "%q", text)
	}
	address, err := ParseEmail(" rene\u0301@ex.be ")
	require.NoError(t, err)
	require.Equal(t, "rené@ex.be", address)
}
