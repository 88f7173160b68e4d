package events

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAChartThatIsWrongIsNotRead(t *testing.T) {
	t.Parallel()
	const header = "code,label_fr,label_nl,label_de,label_en,class,kind\n"
	const row = "1,a,b,c,d,1,group\n"
	for text, reason := range map[string]string{
		"":                                 "first line",
		"code,kind\n1,group\n":             "first line",
		header + "1,a,b\n":                 "wrong number of fields",
		header + "1,a,b,c,d,2,group\n":     `code "1", class "2"`,
		header + ",a,b,c,d,1,group\n":      `code ""`,
		header + "1,a,b,c,d,,group\n":      `class ""`,
		header + "0,a,b,c,d,0,group\n":     `class "0"`,
		header + "61,a,b,c,d,61,expense\n": `class "61"`,
		header + row + row:                 "code 1 stands twice",
	} {
		_, err := readChart(text)
		require.ErrorContains(t, err, reason)
		require.Panics(t, func() { mustReadChart(text) })
	}
}
