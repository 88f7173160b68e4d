package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/queries"
)

// Enqueue asks for long work of a kind and returns the id under which it is followed.
type Enqueue func(
	ctx context.Context, kind string, organization, actor uuid.UUID, args any,
) (uuid.UUID, error)

// Codes of work that failed.
const (
	CodeJobFailed Code = "job_failed"
	CodeJobLost   Code = "job_lost"
)

var _ = explained(map[Code]codeEntry{
	CodeJobFailed: {http.StatusInternalServerError, text{
		"The work failed; ask for it again.", "Le travail a échoué ; redemandez-le.",
		"Het werk is mislukt; vraag het opnieuw.",
	}},
	CodeJobLost: {http.StatusInternalServerError, text{
		"The server that did the work ended; ask for it again.",
		"Le serveur qui faisait le travail s'est arrêté ; redemandez-le.",
		"De server die het werk deed is gestopt; vraag het opnieuw.",
	}},
})

// jobVerify is the kind of POST /audit/verify.
const jobVerify = "verify"

// jobBody is long work as its caller follows it.
type jobBody struct {
	ID         uuid.UUID       `json:"id"`
	Kind       string          `json:"kind"`
	Status     string          `json:"status"`
	Progress   int             `json:"progress"`
	CreatedAt  Instant         `json:"created_at"`
	FinishedAt Instant         `json:"finished_at"`
	ResultURL  *string         `json:"result_url" nullable:"true"`
	Result     json.RawMessage `json:"result"`
	Problem    *problemBody    `json:"problem"`
}

func (c *Call) toJob(job queries.Job) jobBody {
	body := jobBody{
		ID: job.ID, Kind: job.Kind, Status: job.Status, Progress: job.Progress,
		CreatedAt: Instant(job.CreatedAt), Result: job.Result,
	}
	if body.Result == nil {
		body.Result = json.RawMessage("null")
	}
	if job.FinishedAt != nil {
		body.FinishedAt = Instant(*job.FinishedAt)
	}
	if job.Problem != "" {
		problem := refuse(Code(job.Problem)).body(c.Language, c.RequestID)
		body.Problem = &problem
	}
	return body
}

// jobPath is where the work is followed.
func (c *Call) jobPath(id uuid.UUID) string {
	path := basePath + "/jobs/" + id.String()
	if c.Caller.Role == Superadmin && c.Organization != uuid.Nil {
		path += "?" + organizationField + "=" + c.Organization.String()
	}
	return path
}

// startVerify asks for a verification of the organization's log and read models; the platform's
// for a superadmin who names none.
func startVerify(ctx context.Context, c *Call, _ None, _ None) (Answer[jobBody], error) {
	id, err := c.Enqueue(ctx, jobVerify, c.Organization, c.Caller.Account, struct{}{})
	if err != nil {
		return Answer[jobBody]{}, err
	}
	job, err := c.Queries.JobByID(ctx, c.Organization, id)
	return Answer[jobBody]{Body: c.toJob(job), Location: c.jobPath(id)}, err
}

// readJob shows work that the caller asked for; managers see that of their whole organization.
func readJob(ctx context.Context, c *Call, id ID) (Answer[jobBody], error) {
	job, err := c.Queries.JobByID(ctx, c.Organization, id.ID)
	if err == nil && c.Caller.Role&Managers == 0 && job.Actor != c.Caller.Account {
		err = notFound("job")
	}
	return Answer[jobBody]{Body: c.toJob(job)}, err
}
