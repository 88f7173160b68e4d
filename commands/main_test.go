package commands

import (
	"os"
	"testing"

	"github.com/koprogo/koprogo/deploy/embedded/embeddedtest"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }
