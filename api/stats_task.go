package api

import (
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/queries"
)

// taskBody is something urgent, in the caller's language.
type taskBody struct {
	TaskType     string    `json:"task_type" enum:"overdue_expense,expense_due,approval_waiting,quota_mismatch,units_without_owner"`
	Title        string    `json:"title"`
	Description  string    `json:"description"`
	Priority     string    `json:"priority" enum:"high,medium,low"`
	BuildingName string    `json:"building_name"`
	EntityID     uuid.UUID `json:"entity_id" doc:"The expense, else the building"`
	DueDate      Date      `json:"due_date" nullable:"true"`
}

// taskWords are how a kind of task is told. In it {what} is the expense's description, {amount} its
// amount, {day} its due day, {days} a number of days, {sum} and {total} shares, {lots} a number.
type taskWords struct {
	name               string
	title, description text
}

var tasksInWords = map[queries.TaskKind]taskWords{
	queries.TaskOverdue: {"overdue_expense", text{
		"Overdue: {what}", "En retard de paiement : {what}", "Achterstallig: {what}",
	}, text{
		"Was due on {day}: {amount} EUR (days late: {days})",
		"Échue le {day} : {amount} EUR (jours de retard : {days})",
		"Verviel op {day}: {amount} EUR (dagen te laat: {days})",
	}},
	queries.TaskDue: {"expense_due", text{
		"To be paid: {what}", "À payer : {what}", "Te betalen: {what}",
	}, text{
		"Due on {day}: {amount} EUR (days left: {days})",
		"À payer le {day} : {amount} EUR (jours restants : {days})",
		"Te betalen op {day}: {amount} EUR (resterende dagen: {days})",
	}},
	queries.TaskApproval: {"approval_waiting", text{
		"Waits for approval: {what}", "En attente d'approbation : {what}",
		"Wacht op goedkeuring: {what}",
	}, text{
		"{amount} EUR (days since it was submitted: {days})",
		"{amount} EUR (jours depuis la soumission : {days})",
		"{amount} EUR (dagen sinds de indiening: {days})",
	}},
	queries.TaskShares: {"quota_mismatch", text{
		"Shares do not add up", "Quotités incomplètes", "Aandelen kloppen niet",
	}, text{
		"The units hold {sum} of {total} shares: charges cannot be approved",
		"Les lots totalisent {sum} quotités sur {total} : aucune charge ne peut être approuvée",
		"De kavels tellen {sum} van {total} aandelen: er kan geen kost worden goedgekeurd",
	}},
	queries.TaskVacant: {"units_without_owner", text{
		"Units without owner", "Lots sans propriétaire", "Kavels zonder eigenaar",
	}, text{
		"Units without owner: {lots}. Nobody bears their part of the charges",
		"Lots sans propriétaire : {lots}. Personne ne supporte leur part des charges",
		"Kavels zonder eigenaar: {lots}. Niemand draagt hun deel van de kosten",
	}},
}

var priorityNames = map[queries.Priority]string{
	queries.PriorityHigh: "high", queries.PriorityMedium: "medium", queries.PriorityLow: "low",
}

func toTask(task queries.Task, language Language) taskBody {
	pairs := []string{
		"{day}", belgianDay(task.Due), "{days}", strconv.Itoa(task.Days),
		"{sum}", task.Shares.String(), "{total}", task.TotalShares.String(),
		"{lots}", strconv.FormatInt(task.Lots, 10),
	}
	if charge := task.Charge; charge != nil {
		amount := charge.Row.Sign() * charge.Row.Gross
		pairs = append(pairs, "{what}", charge.Description,
			"{amount}", decimalIn(language, fixedPlaces(int64(amount), 2)))
	}
	told, words := strings.NewReplacer(pairs...), tasksInWords[task.Kind]
	return taskBody{
		TaskType: words.name, Title: told.Replace(words.title.in(language)),
		Description: told.Replace(words.description.in(language)),
		Priority:    priorityNames[task.Priority], BuildingName: task.BuildingName,
		EntityID: task.Entity(), DueDate: DayDate(task.Due),
	}
}

// belgianDay writes 10/04/2026, in every language; "—" for no day.
func belgianDay(day events.Day) string {
	year, rest, _ := strings.Cut(string(day), "-")
	month, of, found := strings.Cut(rest, "-")
	if !found {
		return "—"
	}
	return of + "/" + month + "/" + year
}

// decimalIn writes the decimal comma where it is one, and a percent sign as it stands there: apart.
func decimalIn(language Language, decimal string) string {
	if language == English {
		return decimal
	}
	return strings.Replace(strings.Replace(decimal, ".", ",", 1), "%", " %", 1)
}

// urgentTasks are what the syndic should look at first, at most fifty.
func urgentTasks(ctx context.Context, c *Call, _ None) (Answer[[]taskBody], error) {
	seen, err := c.sight(ctx)
	if err != nil {
		return Answer[[]taskBody]{}, err
	}
	found, err := c.Queries.Tasks(ctx, c.Organization, seen.buildings)
	inWords := func(task queries.Task) taskBody { return toTask(task, c.Language) }
	return answerAll(found, inWords, all), err
}
