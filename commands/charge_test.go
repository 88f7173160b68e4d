package commands

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
)

// The building of the worked examples (domain.md, 10): base 1000, lots A 412, B 355, C 233.
var (
	buildingID = id(1)
	lotA       = lotOf(11, "A", 412)
	lotB       = lotOf(12, "B", 355)
	lotC       = lotOf(13, "C", 233)
	liftID     = id(21)
	lift       = events.KeyDeclared{
		Building: buildingID, Name: "Ascenseur", Base: 1000, ValidFrom: "2026-01-01",
		Weights: []events.KeyWeight{
			{LotID: lotA.LotID, Weight: 0},
			{LotID: lotB.LotID, Weight: 600},
			{LotID: lotC.LotID, Weight: 400},
		},
	}
)

func lotOf(n byte, number string, shares int64) events.LotRegistered {
	return events.LotRegistered{
		LotID: id(n), Number: number, Type: "apartment", Surface: 800_000,
		Shares: events.WholeShares(shares), SortKey: number,
	}
}

func erables(more ...events.Event) Building {
	known := residence
	known.Lots, known.Shares = 100, events.WholeShares(1000)
	b := Building{}.Evolve(known)
	for _, event := range append([]events.Event{lotA, lotB, lotC}, more...) {
		b = b.Evolve(event)
	}
	return b
}

// reading is what commands on charges of the building read.
func reading() chargeReading {
	return chargeReading{
		building: erables(),
		keys:     map[uuid.UUID]Key{liftID: Key{}.Evolve(lift)},
	}
}

// bill is a charge of the building, 968.00 for the lift.
func bill(adjust ...func(*events.ChargeContent)) events.ChargeDrafted {
	content := events.ChargeContent{
		Building: buildingID, Kind: events.KindInvoice, Category: events.CategoryMaintenance,
		Description: events.PersonalText("Ascenseur T1"), Date: "2026-03-10",
		DueDate: "2026-04-09", Priced: events.PricedNet, Net: 80000, VAT: 16800, Gross: 96800,
		AccountCode: "61011", KeyID: liftID,
		Lines: []events.ChargeLine{{
			Quantity: events.WholeQuantity(1), UnitPrice: 8_000_000, VATRate: 2100, Net: 80000,
			VAT: 16800, Gross: 96800,
		}},
	}
	for _, change := range adjust {
		change(&content)
	}
	content.NameAccounts()
	return events.ChargeDrafted{Content: content}
}

var (
	submitted = events.ChargeSubmitted{Building: buildingID, SubmittedBy: id(91)}
	approved  = events.ChargeApproved{Building: buildingID, ApprovedBy: id(92), Total: 96800}
	rejected  = events.ChargeRejected{Building: buildingID, RejectedBy: id(92)}
	paid      = events.ChargePaid{Building: buildingID, PaidOn: "2026-03-15", BankReference: "7"}
	unpaid    = events.ChargeUnpaid{Building: buildingID}
	overdue   = events.ChargeFellOverdue{Building: buildingID}
	cancelled = events.ChargeCancelled{Building: buildingID}
	again     = events.ChargeReactivated{Building: buildingID}
	removed   = events.ChargeRemoved{Building: buildingID}
)

func draft(adjust func(*DraftCharge)) *DraftCharge {
	c := &DraftCharge{
		ChargeID: id(31), BuildingID: buildingID, SupplierID: id(41),
		ChargeFields: ChargeFields{
			Category: To("maintenance"), Description: To(" Ascenseur T1 "),
			Date: To(OnDay("2026-03-10")), DueDate: To(OnDay("2026-04-09")),
			Net: To(events.Money(80000)), VATRate: To(events.VATRate(2100)),
			AccountCode: To("61011"), KeyID: To(liftID),
		},
		chargeReading: reading(),
	}
	if adjust != nil {
		adjust(c)
	}
	return c
}

func TestDraftCharge(t *testing.T) {
	t.Parallel()
	t.Run("net and VAT stand on its line (domain.md, 10.3)", func(t *testing.T) {
		given[Charge](t).when(draft(nil)).then(bill())
	})
	t.Run("one amount includes its VAT", func(t *testing.T) {
		s := given[Charge](t).when(draft(func(c *DraftCharge) {
			c.Net, c.Amount = Change[events.Money]{}, To(events.Money(96800))
		}))
		require.NoError(t, s.err)
		content := s.decided[0].(events.ChargeDrafted).Content
		require.Equal(t, []events.Money{80000, 16800, 96800},
			[]events.Money{content.Net, content.VAT, content.Gross})
		require.Equal(t, events.PricedGross, content.Priced)
	})
	t.Run("a day is that of the building's zone", func(t *testing.T) {
		s := given[Charge](t).when(draft(func(c *DraftCharge) {
			c.Date = To(AtInstant(now.Add(13*60*60*1e9 + 30*60*1e9)))
		}))
		require.NoError(t, s.err)
		require.Equal(t, events.Day("2026-03-16"), s.decided[0].(events.ChargeDrafted).Content.Date)
	})
	t.Run("a supplier nobody named before is entered in the same append", func(t *testing.T) {
		entered := events.SupplierNamed{SupplierID: id(41), Name: events.PersonalText("Schindler")}
		given[Charge](t).when(draft(func(c *DraftCharge) {
			c.Supplier, c.supplier = To("Schindler"), id(41)
			c.entered = Elsewhere(SupplierStream(id(41)), entered)
		})).then(Elsewhere(SupplierStream(id(41)), entered),
			bill(func(c *events.ChargeContent) { c.SupplierID = id(41) }))
	})
	t.Run("the same again changes nothing, another one is refused", func(t *testing.T) {
		first := bill().Content
		given[Charge](t, bill()).when(draft(func(c *DraftCharge) { c.first = &first })).then()
	})
	t.Run("another charge has the id", func(t *testing.T) {
		first := bill().Content
		given[Charge](t, bill()).when(draft(func(c *DraftCharge) {
			c.first, c.InvoiceNumber = &first, To("F1")
		})).thenRefused(CodeIDTaken)
	})
	t.Run("a removed charge's id is not used again", func(t *testing.T) {
		first := bill().Content
		given[Charge](t, bill(), removed).
			when(draft(func(c *DraftCharge) { c.first = &first })).thenRefused(CodeIDTaken)
	})
	t.Run("a building that is not in the books is not found", func(t *testing.T) {
		given[Charge](t).when(draft(func(c *DraftCharge) { c.building = Building{} })).
			thenRefused(CodeNotFound)
	})
	t.Run("a key of another building is not found", func(t *testing.T) {
		given[Charge](t).when(draft(func(c *DraftCharge) {
			other := lift
			other.Building = id(2)
			c.keys = map[uuid.UUID]Key{liftID: Key{}.Evolve(other)}
		})).thenRefused(CodeNotFound)
	})
	t.Run("a lot of another building is not found", func(t *testing.T) {
		given[Charge](t).when(draft(func(c *DraftCharge) { c.PrivateLotID = To(id(99)) })).
			thenRefused(CodeNotFound)
	})
}

func TestWrongFieldsOfCharges(t *testing.T) {
	t.Parallel()
	for _, wrong := range []struct {
		what  string
		field string
		code  Code
		by    func(*DraftCharge)
	}{
		{"no amount", "amount", CodeRequired, func(c *DraftCharge) {
			c.Net, c.VATRate = Change[events.Money]{}, Change[events.VATRate]{}
		}},
		{"an amount of nothing", "amount", CodeOutOfRange, func(c *DraftCharge) {
			c.Net, c.Amount = Change[events.Money]{}, To(events.Money(0))
		}},
		{"a net without a rate", "vat_rate", CodeRequired, func(c *DraftCharge) {
			c.VATRate = Change[events.VATRate]{}
		}},
		{"an unusual rate without a reason", "vat_rate_reason", CodeRequired, func(c *DraftCharge) {
			c.VATRate = To(events.VATRate(550))
		}},
		{"no description", "description", CodeRequired, func(c *DraftCharge) {
			c.Description = To("  ")
		}},
		{"a description with a bell", "description", CodeMalformed, func(c *DraftCharge) {
			c.Description = To("a\ab")
		}},
		{"no day", "date", CodeRequired, func(c *DraftCharge) { c.Date = Change[When]{} }},
		{"a due day that is none", "due_date", CodeMalformed, func(c *DraftCharge) {
			c.DueDate = To(OnDay("2026-02-30"))
		}},
		{"an unknown category", "category", CodeUnknownValue, func(c *DraftCharge) {
			c.Category = To("Works")
		}},
		{"an unknown kind", "kind", CodeUnknownValue, func(c *DraftCharge) { c.Kind = To("bill") }},
		{"an unknown account", "account_code", CodeAccountUnknown, func(c *DraftCharge) {
			c.AccountCode = To("699999")
		}},
		{"a heading of the chart", "account_code", CodeAccountNotPosting, func(c *DraftCharge) {
			c.AccountCode = To("610")
		}},
		{"a line without words", "lines[0].description", CodeRequired, func(c *DraftCharge) {
			c.Lines = To([]ChargeLineFields{{Quantity: 10_000, UnitPrice: 10_000}})
		}},
		{
			"a line's unknown account", "lines[0].account_code", CodeAccountUnknown,
			func(c *DraftCharge) {
				c.Lines = To([]ChargeLineFields{{
					Description: "x", Quantity: 10_000, UnitPrice: 10_000, AccountCode: "1",
				}})
				c.Lines.Value[0].AccountCode = "999"
				c.Net = Change[events.Money]{}
			},
		},
		{"lines of an unusual rate", "vat_rate_reason", CodeRequired, func(c *DraftCharge) {
			c.Lines = To([]ChargeLineFields{{
				Description: "x", Quantity: 10_000, UnitPrice: 10_000, VATRate: 550,
			}})
		}},
		{"no id", "id", CodeRequired, func(c *DraftCharge) { c.ChargeID = uuid.Nil }},
	} {
		t.Run(wrong.what+" is refused", func(t *testing.T) {
			given[Charge](t).when(draft(wrong.by)).thenInvalid(wrong.field, wrong.code)
		})
	}
}

func TestInvoicesWithLines(t *testing.T) {
	t.Parallel()
	lines := []ChargeLineFields{
		{
			Description: "Lift", Quantity: 10_000, UnitPrice: 15_000_000, VATRate: 600,
			AccountCode: "61011", KeyID: liftID,
		},
		{Description: "Cleaning", Quantity: 20_000, UnitPrice: 5_000_000, VATRate: 2100},
	}
	mixed := func(adjust func(*DraftCharge)) *DraftCharge {
		return draft(func(c *DraftCharge) {
			c.Net, c.VATRate = Change[events.Money]{}, Change[events.VATRate]{}
			c.AccountCode, c.KeyID = Change[string]{}, Change[uuid.UUID]{}
			c.Lines = To(lines)
			if adjust != nil {
				adjust(c)
			}
		})
	}
	t.Run("mixed rates come to two lines, accounts of their own or the category's (10.3)",
		func(t *testing.T) {
			s := given[Charge](t).when(mixed(nil))
			require.NoError(t, s.err)
			content := s.decided[0].(events.ChargeDrafted).Content
			require.Equal(t, events.Money(280000), content.Gross)
			require.Equal(t, events.Money(159000), content.Lines[0].Gross)
			require.Equal(t, events.Money(121000), content.Lines[1].Gross)
			require.Equal(t, "61011", content.Lines[0].AccountCode)
			require.Equal(t, "6109", content.Lines[1].AccountCode)
			require.Equal(t, liftID, content.Lines[0].KeyID)
		})
	t.Run("totals beside them are compared", func(t *testing.T) {
		given[Charge](t).when(mixed(func(c *DraftCharge) { c.Amount = To(events.Money(280003)) })).
			thenRefused(CodeVATMismatch)
	})
	t.Run("a net beside them is compared", func(t *testing.T) {
		given[Charge](t).when(mixed(func(c *DraftCharge) { c.Net = To(events.Money(250003)) })).
			thenRefused(CodeTotalMismatch)
	})
	t.Run("a rate beside them is not used", func(t *testing.T) {
		s := given[Charge](t).when(mixed(func(c *DraftCharge) {
			c.VATRate, c.Amount = To(events.VATRate(1200)), To(events.Money(280001))
		}))
		require.NoError(t, s.err)
	})
	t.Run("a printed VAT is kept (10.3)", func(t *testing.T) {
		s := given[Charge](t).when(draft(func(c *DraftCharge) {
			c.Net, c.VAT = To(events.Money(33333)), To(events.Money(7000))
		}))
		require.NoError(t, s.err)
		require.Equal(t, events.Money(40333), s.decided[0].(events.ChargeDrafted).Content.Gross)
	})
	t.Run("one that is not its rate's is refused", func(t *testing.T) {
		given[Charge](t).when(draft(func(c *DraftCharge) {
			c.Net, c.VAT = To(events.Money(33333)), To(events.Money(7002))
		})).thenRefused(CodeVATMismatch)
	})
	t.Run("one inside an amount is refused likewise", func(t *testing.T) {
		given[Charge](t).when(draft(func(c *DraftCharge) {
			c.Net, c.Amount = Change[events.Money]{}, To(events.Money(96800))
			c.VAT = To(events.Money(16700))
		})).thenRefused(CodeVATMismatch)
	})
}
