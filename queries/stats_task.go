package queries

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/projections"
)

// TaskKind is what a task asks for.
type TaskKind int

// The kinds of tasks, in the order in which tasks of one priority and day are listed.
const (
	TaskOverdue  TaskKind = iota // a charge was not paid in time
	TaskDue                      // a charge is to be paid within days
	TaskApproval                 // a charge waits for approval for long
	TaskShares                   // a building's lots do not sum to what its deed says
	TaskVacant                   // lots have no owner, who would bear their charges
)

// Priority tells how urgent a task is.
type Priority int

// The priorities, the most urgent first.
const (
	PriorityHigh Priority = iota
	PriorityMedium
	PriorityLow
)

// Task is something that the syndic should do about a building.
type Task struct {
	Kind         TaskKind
	Priority     Priority
	Building     uuid.UUID
	BuildingName string
	Charge       *Charge    // of the first three kinds
	Due          events.Day // "" for none
	Days         int        // since or until Due, or since it was submitted
	Shares       events.Shares
	TotalShares  events.Shares
	Lots         int64 // that are vacant
}

// Entity is the charge or building that the task is about.
func (t *Task) Entity() uuid.UUID {
	if t.Charge != nil {
		return t.Charge.Row.ID
	}
	return t.Building
}

// What is urgent, in days, and how much of it is told.
const (
	dueWithin    = 7
	waitsLong    = 7
	waitsTooLong = 30
	mostTasks    = 50
)

var (
	taskCharges = "select " + projections.ChargeTable.Columns() + ` from read.charges
 where organization_id = $1 and ($2::uuid[] is null or building_id = any($2))`

	overdueSQL = taskCharges + ` and payment_status = 'overdue'
 order by due_date, id limit $3`
	dueSoonSQL = taskCharges + ` and approval_status = 'approved' and payment_status = 'pending'
   and due_date <= $4::text::date order by due_date, id limit $3`
	waitingSQL = taskCharges + ` and approval_status = 'pending_approval' and submitted_at <= $4
 order by submitted_at, id limit $3`

	unevenSQL = "select " + projections.LotFigureTable.Columns() + ` from read.lot_figures
 where organization_id = $1 and ($2::uuid[] is null or id = any($2))
   and lots > 0 and shares <> total_shares order by id limit $3`
)

const (
	vacantSQL = `
select id, sum(vacant)::bigint from (
  select id, vacant from read.lot_figures where organization_id = $1 and vacant > 0
  union all
  select building_id, count(*) from read.dated_lots
   where organization_id = $1 and not held::datemultirange @> $4::text::date
   group by building_id) lots
 where $2::uuid[] is null or id = any($2) group by id order by id limit $3`

	buildingNamesSQL = `select id, name from read.buildings
 where organization_id = $1 and id = any($2)`
)

// taskModels are what tasks are found from, the first one what names buildings.
var taskModels = []string{
	projections.Buildings.Name, projections.Lots.Name, projections.Charges.Name,
}

// Tasks lists what is urgent in some buildings of an organization, or (nil) in all, most urgent
// first: mostTasks at most. Days are Belgium's.
func (r *Reader) Tasks(
	ctx context.Context, organization uuid.UUID, buildings []uuid.UUID,
) (found Found[[]Task], err error) {
	now := r.store.Clock()
	today := dayIn("", now)
	soon := string(dayIn("", now.AddDate(0, 0, dueWithin)))
	var overdue, due, waiting []projections.ChargeRow
	var uneven []projections.LotFigureRow
	vacant := map[uuid.UUID]int64{}
	found.Stale, err = r.read(ctx, In(organization), taskModels, func(batch *pgx.Batch) {
		charges := projections.ChargeTable.Scan
		batch.Queue(overdueSQL, organization, buildings, mostTasks).Query(many(&overdue, charges))
		batch.Queue(dueSoonSQL, organization, buildings, mostTasks, soon).Query(many(&due, charges))
		batch.Queue(waitingSQL, organization, buildings, mostTasks, now.AddDate(0, 0, -waitsLong)).
			Query(many(&waiting, charges))
		batch.Queue(unevenSQL, organization, buildings, mostTasks).
			Query(many(&uneven, projections.LotFigureTable.Scan))
		batch.Queue(vacantSQL, organization, buildings, mostTasks, string(today)).
			Query(addCounts(vacant))
	})
	if err != nil {
		return found, err
	}
	found.Position = found.Stale
	for i := range uneven {
		row := &uneven[i]
		found.Item = append(found.Item, Task{
			Kind: TaskShares, Priority: PriorityMedium, Building: row.ID, Shares: row.Shares,
			TotalShares: row.TotalShares,
		})
	}
	for building, lots := range vacant {
		found.Item = append(found.Item, Task{
			Kind: TaskVacant, Priority: PriorityLow, Building: building, Lots: lots,
		})
	}
	rows := slices.Concat(overdue, due, waiting)
	for i := range rows {
		found.Item = append(found.Item, chargeTask(&rows[i], today))
	}
	slices.SortFunc(found.Item, compareTasks)
	found.Item = found.Item[:min(len(found.Item), mostTasks)]
	return found, r.completeTasks(ctx, organization, found.Item)
}

func addCounts(to map[uuid.UUID]int64) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var id uuid.UUID
		var n int64
		_, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error {
			to[id] = n
			return nil
		})
		return err
	}
}

// chargeTask is what is to be done about a charge. One that nobody paid by its due day is overdue,
// also before the day's job says so.
func chargeTask(row *projections.ChargeRow, today events.Day) Task {
	task := Task{
		Building: row.BuildingID, Due: Day(row.DueDate), Charge: &Charge{Row: *row},
	}
	switch {
	case row.ApprovalStatus == "pending_approval":
		task.Kind, task.Priority = TaskApproval, PriorityMedium
		task.Days = daysBetween(dayIn("", *row.SubmittedAt), today)
		if task.Days >= waitsTooLong || task.Due != "" && task.Due < today {
			task.Priority = PriorityHigh
		}
	case row.PaymentStatus == "overdue" || task.Due < today:
		task.Kind, task.Days = TaskOverdue, max(0, daysBetween(task.Due, today))
	default:
		task.Kind, task.Priority = TaskDue, PriorityMedium
		task.Days = daysBetween(today, task.Due)
	}
	return task
}

// daysBetween counts days; 0 where either is not known.
func daysBetween(from, to events.Day) int {
	first, err := time.Parse(time.DateOnly, string(from))
	last, failed := time.Parse(time.DateOnly, string(to))
	if err != nil || failed != nil {
		return 0
	}
	return int(last.Sub(first) / (24 * time.Hour))
}

func compareTasks(a, b Task) int {
	const last = "~" // behind every day
	first, second := a.Entity(), b.Entity()
	return cmp.Or(
		cmp.Compare(a.Priority, b.Priority),
		cmp.Compare(cmp.Or(a.Due, last), cmp.Or(b.Due, last)),
		cmp.Compare(a.Kind, b.Kind),
		bytes.Compare(first[:], second[:]),
	)
}

// completeTasks opens the charges' texts and names the buildings.
func (r *Reader) completeTasks(
	ctx context.Context, organization uuid.UUID, tasks []Task,
) error {
	var rows []projections.ChargeRow
	var buildings []uuid.UUID
	for i := range tasks {
		buildings = append(buildings, tasks[i].Building)
		if tasks[i].Charge != nil {
			rows = append(rows, tasks[i].Charge.Row)
		}
	}
	opened, err := r.openCharges(ctx, rows, nil)
	if err != nil {
		return err
	}
	names := map[uuid.UUID]string{}
	_, err = r.read(ctx, In(organization), taskModels[:1], func(batch *pgx.Batch) {
		batch.Queue(buildingNamesSQL, organization, buildings).Query(func(rows pgx.Rows) error {
			var id uuid.UUID
			var name string
			_, err := pgx.ForEachRow(rows, []any{&id, &name}, func() error {
				names[id] = name
				return nil
			})
			return err
		})
	})
	for i := range tasks {
		tasks[i].BuildingName = names[tasks[i].Building]
		if tasks[i].Charge != nil {
			tasks[i].Charge, opened = &opened[0], opened[1:]
		}
	}
	return err
}

// statsStatements are the SQL texts of figures and tasks.
func statsStatements() []string {
	return []string{
		totalsSQL, someTotalsSQL, chargeFiguresSQL, allTotalsSQL, ownerPendingSQL, paidChargesSQL,
		overdueSQL, dueSoonSQL, waitingSQL, unevenSQL, vacantSQL, buildingNamesSQL,
	}
}
