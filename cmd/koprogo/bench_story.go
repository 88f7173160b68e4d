package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// benchApprovals is how many charges are approved one after the other.
const benchApprovals = 200

// each does n things on the connections of the closed loop.
func (b *httpBench) each(ctx context.Context, n int, do func(w *wire, i int) error) error {
	failures := make([]error, b.Clients)
	var next atomic.Int64
	var group sync.WaitGroup
	for client := range b.Clients {
		group.Go(func() {
			w, err := dial(ctx, b.server.address, b.token)
			if err != nil {
				failures[client] = err
				return
			}
			defer w.close()
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if failures[client] = do(w, i); failures[client] != nil {
					next.Store(int64(n))
					return
				}
			}
		})
	}
	group.Wait()
	return errors.Join(errors.Join(failures...), ctx.Err())
}

// create posts and returns what was made.
func create(w *wire, path string, body any) (made, error) {
	var answer made
	err := w.tell(http.MethodPost, benchAPI+path, body, &answer)
	return answer, err
}

// benchOwner is an owner of a number that none has twice in an organization.
func benchOwner(run string, n int) map[string]any {
	return map[string]any{
		"kind": "person", "first_name": "Louis", "last_name": fmt.Sprintf("Peeters %d", n),
		"email": fmt.Sprintf("%s-%d@example.be", run, n), "street": "Rue Haute",
		"house_number": "1", "city": "Bruxelles", "postal_code": "1000", "country": "Belgique",
	}
}

func benchUnit(building made, n int) map[string]any {
	return map[string]any{
		"building_id": building.ID, "unit_number": fmt.Sprintf("A%d", n+1),
		"unit_type": "Apartment", "surface_area": 85.5, "quota": 10,
	}
}

func benchCharge(building made, n int) map[string]any {
	day := time.Date(2024, 1+time.Month(n%24), 1+n%28, 0, 0, 0, 0, time.UTC)
	return map[string]any{
		"building_id": building.ID, "category": mixCategories[n%len(mixCategories)],
		"description": fmt.Sprintf("Facture %d", n), "amount": fmt.Sprintf("%d.%02d", 60+n%900, n%100),
		"expense_date": day.Format(time.DateOnly),
	}
}

// town makes a building whose lots all have owners from 2020 on: lots and 8/5 as many owners,
// three fifths of the lots with two of them.
func (b *httpBench) town(ctx context.Context, run string, lots int) (made, error) {
	owners := make([]made, lots*8/5)
	err := b.each(ctx, len(owners), func(w *wire, i int) (err error) {
		owners[i], err = create(w, "/owners", benchOwner(run, i))
		return err
	})
	if err != nil {
		return made{}, err
	}
	w, err := dial(ctx, b.server.address, b.token)
	if err != nil {
		return made{}, err
	}
	defer w.close()
	body := largeBuilding(0)
	body["total_units"], body["total_tantiemes"] = lots, lots*10
	building, err := create(w, "/buildings", body)
	for n := 0; n < lots && err == nil; n++ {
		var lot made
		if lot, err = create(w, "/units", benchUnit(building, n)); err != nil {
			break
		}
		err = share(w, lot, owners, n, lots)
	}
	return building, err
}

// share gives the n-th of so many lots to its owner or, while there are owners left, to two.
func share(w *wire, lot made, owners []made, n, lots int) error {
	holders := owners[n : n+1 : n+1]
	if lots+n < len(owners) {
		holders = append(holders, owners[lots+n])
	}
	for _, holder := range holders {
		_, err := create(w, "/units/"+lot.ID.String()+"/owners", map[string]any{
			"owner_id":           holder.ID,
			"ownership_fraction": fmt.Sprintf("1/%d", len(holders)), "from": "2020-01-01",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// approve drafts a charge, submits it and approves it; it returns what the approval took.
func approve(w *wire, body map[string]any) (time.Duration, error) {
	charge, err := create(w, "/expenses", body)
	if err != nil {
		return 0, err
	}
	path := benchAPI + "/invoices/" + charge.ID.String()
	if err = w.tell(http.MethodPut, path+"/submit", struct{}{}, nil); err != nil {
		return 0, err
	}
	began := time.Now()
	err = w.tell(http.MethodPut, path+"/approve", struct{}{}, nil)
	return time.Since(began), err
}

// approvals times the approval of charges in a large building, one after the other.
func (b *httpBench) approvals(ctx context.Context) error {
	building, err := b.town(ctx, "town", b.Lots)
	if err != nil {
		return fmt.Errorf("make a large building: %w", err)
	}
	w, err := dial(ctx, b.server.address, b.token)
	if err != nil {
		return err
	}
	defer w.close()
	var took []time.Duration
	for n := range benchApprovals {
		one, err := approve(w, benchCharge(building, n))
		if err != nil {
			return fmt.Errorf("approve a charge: %w", err)
		}
		took = append(took, one)
	}
	slices.Sort(took)
	b.report.add(series{percentile(took, 99)}.alone(
		fmt.Sprintf("approval, %d lots, %d owners, all cores, p99", b.Lots, b.Lots*8/5), "ms", "< 20"),
		series{percentile(took, 50)}.alone("approval, median", "ms", "-"))
	return nil
}

// pcn times the report of a building with many charges: again and again, and as the first thing
// that a server is asked.
func (b *httpBench) pcn(ctx context.Context) error {
	building, err := b.town(ctx, "pcn", 2)
	if err != nil {
		return err
	}
	err = b.each(ctx, b.Charges, func(w *wire, i int) error {
		_, err := approve(w, benchCharge(building, i))
		return err
	})
	if err != nil {
		return fmt.Errorf("approve charges: %w", err)
	}
	target := benchAPI + "/pcn/" + building.ID.String()
	var warm, cold series
	for range b.Runs {
		b.server.stop()
		if err := b.start(ctx); err != nil {
			return err
		}
		for n := range 20 {
			took, err := b.timed(ctx, target)
			if err != nil {
				return err
			}
			if n == 0 {
				cold = append(cold, took)
			} else {
				warm = append(warm, took)
			}
		}
	}
	b.report.add(
		cold.alone(fmt.Sprintf("PCN of %d charges, the server's first request", b.Charges), "ms",
			"< 200"),
		warm.alone(fmt.Sprintf("PCN of %d charges, again", b.Charges), "ms", "< 5"))
	return nil
}

// timed asks once on a connection of its own; milliseconds from the request to the answer.
func (b *httpBench) timed(ctx context.Context, target string) (float64, error) {
	w, err := dial(ctx, b.server.address, b.token)
	if err != nil {
		return 0, err
	}
	defer w.close()
	began := time.Now()
	got, err := w.ask(http.MethodGet, target, nil)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("GET %s: status %d", target, got.status)
	}
	return time.Since(began).Seconds() * 1e3, err
}

// What stands in each building of the larger data set: of 1,500, 30,000 lots, 40,500 owners and two
// years of charges.
const (
	seededLots    = 20
	seededOwners  = 27
	seededCharges = 24
)

// seeded measures the mix again, and how long a server takes to start, on a larger data set of its
// own.
func (b *httpBench) seeded(ctx context.Context) error {
	if err := b.startOver(ctx); err != nil {
		return err
	}
	if err := b.each(ctx, b.Buildings, seedBuilding); err != nil {
		return fmt.Errorf("make the larger data set: %w", err)
	}
	var starts series
	for range b.Runs {
		b.server.stop()
		began := time.Now()
		if err := b.start(ctx); err != nil {
			return err
		}
		starts = append(starts, time.Since(began).Seconds())
	}
	b.report.add(starts.alone(fmt.Sprintf("start, %d buildings", b.Buildings), "s", "< 3"))
	return b.mix(ctx, fmt.Sprintf("%d buildings: ", b.Buildings), 1)
}

// seedBuilding makes the n-th building of the larger data set.
func seedBuilding(w *wire, n int) error {
	body := largeBuilding(n)
	body["total_units"], body["total_tantiemes"] = seededLots, seededLots*10
	building, err := create(w, "/buildings", body)
	if err != nil {
		return err
	}
	owners := make([]made, seededOwners)
	for i := range owners {
		if owners[i], err = create(w, "/owners", benchOwner("seed", n*seededOwners+i)); err != nil {
			return err
		}
	}
	for i := range seededLots {
		lot, err := create(w, "/units", benchUnit(building, i))
		if err != nil {
			return err
		}
		if err := share(w, lot, owners, i, seededLots); err != nil {
			return err
		}
	}
	for i := range seededCharges {
		if _, err := approve(w, benchCharge(building, i)); err != nil {
			return err
		}
	}
	return nil
}
