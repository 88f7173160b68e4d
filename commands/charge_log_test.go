package commands

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

// residence500 is a building of some lots and owners in the office's log; every fifth lot belongs
// to several.
func (o office) residence500(t testing.TB, lots, owners int) uuid.UUID {
	t.Helper()
	building := uuid.New()
	known := residence
	known.Lots, known.Shares = lots, events.WholeShares(int64(lots))
	happened := []events.Event{known}
	var ids []uuid.UUID
	for i := range lots {
		lot := uuid.Must(uuid.NewV7())
		ids = append(ids, lot)
		happened = append(happened, events.LotRegistered{
			LotID: lot, Number: fmt.Sprint(i), Type: "apartment", Surface: 1,
			Shares: events.SharesUnit, SortKey: fmt.Sprintf("%06d", i),
		})
	}
	for i := range owners {
		happened = append(happened, events.OwnershipStarted{
			OwnershipID: uuid.Must(uuid.NewV7()), LotID: ids[i%lots], OwnerID: uuid.New(),
			Fraction: fraction(t, 1, 3), Right: events.RightFull, From: "2020-01-01",
		})
	}
	_, err := o.store.Append(t.Context(), eventstore.Append{
		Organization: o.organization, Streams: []eventstore.StreamAppend{{
			Stream: BuildingStream(building), Building: building, Events: happened,
		}},
	})
	require.NoError(t, err)
	return building
}

func fraction(t testing.TB, n, d int64) events.Fraction {
	t.Helper()
	f, err := events.NewFraction(n, d)
	require.NoError(t, err)
	return f
}

// draftIn is a charge of a building that names no key.
func draftIn(building uuid.UUID, adjust ...func(*DraftCharge)) *DraftCharge {
	c := draft(nil)
	c.ChargeID, c.BuildingID, c.SupplierID = uuid.New(), building, uuid.New()
	c.KeyID, c.chargeReading = Change[uuid.UUID]{}, chargeReading{}
	for _, change := range adjust {
		change(c)
	}
	return c
}

func (o office) as(actor uuid.UUID) Caller {
	caller := o.caller()
	caller.Actor = actor
	return caller
}

// submitted is a charge that waits for approval.
func (o office) submitted(t testing.TB, building, by uuid.UUID) uuid.UUID {
	t.Helper()
	c := draftIn(building)
	_, err := Handle(t.Context(), o.App, o.as(by), c)
	require.NoError(t, err)
	_, err = Handle(t.Context(), o.App, o.as(by), SubmitCharge{c.ChargeID, by})
	require.NoError(t, err)
	return c.ChargeID
}

func TestChargesOnTheLog(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	building := o.residence500(t, 4, 6)
	asked := draftIn(building, func(c *DraftCharge) { c.Supplier = To("Schindler  SA") })
	drafted, err := Handle(t.Context(), o.App, o.caller(), asked)
	require.NoError(t, err)
	require.Len(t, drafted.Receipt.Recorded, 2)
	require.Equal(t, building, drafted.Receipt.Recorded[1].Building)
	require.Equal(t, uuid.Nil, drafted.Receipt.Recorded[0].Building, "a supplier has no building")
	_, clear := drafted.State.Content.Description.Clear()
	require.False(t, clear, "what stays warm is sealed")

	for _, app := range []*App{o.App, server(t, o.clone)} {
		same := draftIn(building, func(c *DraftCharge) {
			c.Supplier, c.ChargeID = To(" schindler sa"), asked.ChargeID
		})
		again, err := Handle(t.Context(), app, o.caller(), same)
		require.NoError(t, err)
		require.False(t, again.Changed, "the same create again records nothing")
	}
	other := draftIn(building, func(c *DraftCharge) { c.Supplier = To("SCHINDLER SA") })
	second, err := Handle(t.Context(), o.App, o.caller(), other)
	require.NoError(t, err)
	require.Equal(t, drafted.State.Content.SupplierID, second.State.Content.SupplierID,
		"a supplier is found by his name, however it is written")

	changed, err := Handle(t.Context(), o.App, o.caller(), &AmendCharge{
		ChargeID: asked.ChargeID, ChargeFields: ChargeFields{InvoiceNumber: To("F1")},
	})
	require.NoError(t, err)
	text, err := o.store.Keyring().Open(t.Context(), o.organization,
		changed.State.Content.Description)
	require.NoError(t, err)
	require.Equal(t, "Ascenseur T1", text, "what is not named stays")
	require.Equal(t, drafted.State.Content.SupplierID, changed.State.Content.SupplierID)
	unchanged, err := Handle(t.Context(), o.App, o.caller(), &AmendCharge{
		ChargeID: asked.ChargeID, ChargeFields: ChargeFields{Description: To("Ascenseur T1")},
	})
	require.NoError(t, err)
	require.False(t, unchanged.Changed)
}

func TestOneSupplierFor64Clients(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	building := o.residence500(t, 2, 2)
	var mu sync.Mutex
	var group sync.WaitGroup
	suppliers := map[uuid.UUID]int{}
	for range 64 {
		group.Go(func() {
			outcome, err := Handle(t.Context(), o.App, o.caller(),
				draftIn(building, func(c *DraftCharge) { c.Supplier = To("Vivaqua") }))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			suppliers[outcome.State.Content.SupplierID]++
		})
	}
	group.Wait()
	require.Len(t, suppliers, 1, "%v", suppliers)
}

func TestOneApprovalFor64Clients(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	charge := o.submitted(t, o.residence500(t, 4, 6), id(91))
	apps := []*App{o.App, server(t, o.clone)}
	var mu sync.Mutex
	var group sync.WaitGroup
	codes := map[Code]int{}
	for i := range 64 {
		group.Go(func() {
			_, err := Handle(t.Context(), apps[i%2], o.as(id(92)),
				&ApproveCharge{ChargeID: charge, Actor: id(92)})
			mu.Lock()
			defer mu.Unlock()
			var refused *Refused
			if err != nil && !errors.As(err, &refused) {
				t.Error(err)
			}
			codes[codeOf(err)]++
		})
	}
	group.Wait()
	require.Equal(t, map[Code]int{"": 1, CodeNotPending: 63}, codes)
}

func TestFourEyes(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	building := o.residence500(t, 2, 2)
	anna := o.open(t, "anna@immo.be", RoleSyndic).AccountID
	approve := func(actor uuid.UUID) error {
		charge := o.submitted(t, building, anna)
		_, err := Handle(t.Context(), o.App, o.as(actor),
			&ApproveCharge{ChargeID: charge, Actor: actor})
		return err
	}
	set := func(four string) {
		_, err := Handle(t.Context(), o.App, o.caller(),
			ChangeSettings{OrganizationID: o.organization, FourEyes: To(four)})
		require.NoError(t, err)
	}
	o.open(t, "acc@immo.be", RoleAccountant)
	require.NoError(t, approve(anna), "where she is the only one who may")
	bert := o.open(t, "bert@immo.be", RoleSyndic).AccountID
	require.Equal(t, CodeFourEyes, codeOf(approve(anna)), "where another syndic may")
	require.NoError(t, approve(bert))
	require.NoError(t, approve(id(92)), "whoever else it is")
	set(FourEyesOff)
	require.NoError(t, approve(anna))
	set(FourEyesAuto)
	_, err := Handle(t.Context(), o.App, System(eventstore.Platform, ""),
		&DeactivateAccount{AccountID: bert})
	require.NoError(t, err)
	require.NoError(t, approve(anna), "when the other cannot sign in")
	set(FourEyesOn)
	require.Equal(t, CodeFourEyes, codeOf(approve(anna)), "wherever it is asked for")
}

// How long an approval takes in a building of 500 lots and 800 owners, from the command to the
// answer of the log.
func BenchmarkApproval(b *testing.B) {
	o := newOffice(b, "starter")
	building := o.residence500(b, 500, 800)
	charges := make([]uuid.UUID, b.N)
	for i := range charges {
		charges[i] = o.submitted(b, building, id(91))
	}
	took := make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for _, charge := range charges {
		began := time.Now()
		_, err := Handle(b.Context(), o.App, o.as(id(92)),
			&ApproveCharge{ChargeID: charge, Actor: id(92)})
		require.NoError(b, err)
		took = append(took, time.Since(began))
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
}
