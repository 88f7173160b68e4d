// Command koprogo is the whole product in one program: the server, its jobs, and the commands of
// those who run it and of those who distrust it.
//
// Start reading in the command struct below; each command stands in the file of its name.
// settings.go says what can be set, database.go which PostgreSQL a command works on.
//
// Exit codes: 0 done; 1 the answer is no (verify: not whole; doctor: something is wrong);
// 2 it could not be done.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
)

// command is the command line: `koprogo <command>`.
type command struct {
	Serve      serveCommand      `cmd:"" help:"Run the server: API, projections and jobs."`
	Work       workCommand       `cmd:"" help:"Run the jobs and projections only."`
	Migrate    migrateCommand    `cmd:"" help:"Bring the database to this program's state."`
	Rebuild    rebuildCommand    `cmd:"" help:"Fill a read model anew beside the live one."`
	Replay     replayCommand     `cmd:"" help:"Show a building as it was at a moment."`
	Verify     verifyCommand     `cmd:"" help:"Prove that nobody touched what was recorded."`
	Export     exportCommand     `cmd:"" help:"Write an organization's log to a file."`
	Seed       seedCommand       `cmd:"" help:"Fill in the demo organizations."`
	Doctor     doctorCommand     `cmd:"" help:"Check settings, database, broker and log."`
	Bench      benchCommand      `cmd:"" help:"Measure against a yardstick in the same run."`
	Completion completionCommand `cmd:"" help:"Print a shell's completion script."`
}

// Exit codes of the program.
const (
	exitNo     = 1
	exitFailed = 2
)

// errNo is a command's answer "no": it has said why already.
var errNo = errors.New("no")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	spareCollections()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without its process: arguments in, exit code out.
func run(ctx context.Context, args []string, out, problems io.Writer) int {
	var line command
	parser, err := newParser(&line, out, problems)
	if err != nil {
		fmt.Fprintln(problems, "koprogo:", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(problems, "koprogo:", err)
		fmt.Fprintln(problems, "koprogo --help lists the commands and settings.")
		return exitFailed
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.BindTo(out, (*io.Writer)(nil))
	switch err := parsed.Run(parser); {
	case err == nil:
		return 0
	case errors.Is(err, errNo):
		return exitNo
	default:
		fmt.Fprintln(problems, "koprogo:", err)
		return exitFailed
	}
}

func newParser(line *command, out, problems io.Writer) (*kong.Kong, error) {
	parser, err := kong.New(line,
		kong.Name("koprogo"),
		kong.Description("Co-ownership management on an event log."),
		kong.Writers(out, problems),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Vars{"rate": "100", "conns": "10"},
	)
	if err != nil {
		return nil, fmt.Errorf("read the command line: %w", err)
	}
	kongcompletion.Register(parser) // answers a shell that asks by COMP_LINE, and exits
	return parser, nil
}
